"""How far a model's errors reach: measured at past origins, drawn around points. One file a kind of series."""
