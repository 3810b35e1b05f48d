-- The rights of the monitor in PostgreSQL: the role `journey` reads and writes rows, and can neither create, change nor remove tables.
-- Once, in the empty database, as the role that is to own the tables (PostgreSQL 15 or later):
--   DATABASE_PASSWORD=… psql --file=database.sql postgresql://OWNER@db.example/journeys
-- Then, and after each update of the program, with the address of the owner: JOURNEY_DATABASE=postgresql://OWNER:…@db.example/journeys journey store upgrade
-- `journey schedule` and `journey serve` get the address of the role: postgresql://journey:…@db.example/journeys
\set ON_ERROR_STOP on
\getenv password DATABASE_PASSWORD
BEGIN;
CREATE ROLE journey LOGIN PASSWORD :'password';
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO journey;
GRANT USAGE ON SCHEMA public TO journey;
-- Of tables that are there already, and of those that later versions create.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO journey;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO journey;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO journey;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO journey;
COMMIT;
