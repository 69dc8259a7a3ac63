"""Plain Python of the demo carrier: no database, no environment, doctested."""
