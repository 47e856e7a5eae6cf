"""Rolling-origin evaluation: origins, metrics and paired comparison."""
