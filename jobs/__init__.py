"""Jobs: config, the nightly run, MLflow, releases and the command line."""
