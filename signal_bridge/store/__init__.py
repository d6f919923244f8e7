"""One database, SQLite or PostgreSQL: units of work, leases, bells, tables, migrations."""
