"""Plain Python of the gateway: no database, no environment, doctested."""
