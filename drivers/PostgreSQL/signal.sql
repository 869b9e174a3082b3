-- What an application's tables need to signal the hub, for the files signal.sql of other drivers, which name them:
-- signal_table (name, has_whole_rows) and signal_columns (name, columns), the latter for tables that not all of is shown of.
-- The variables hub (a role) and publication are set. It repeats nothing, and leaves out tables that are not there.
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN REPLICATION', :'hub') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'hub') \gexec
SELECT format('ALTER ROLE %I REPLICATION', :'hub') WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = :'hub' AND NOT rolreplication) \gexec

-- Where the hub notes the keys that it has told; it makes its tables there itself.
SELECT format('CREATE SCHEMA multipoint AUTHORIZATION %I', :'hub') WHERE to_regnamespace('multipoint') IS NULL \gexec

DELETE FROM signal_table WHERE to_regclass(quote_ident(name)) IS NULL;
SELECT format('ALTER TABLE %I REPLICA IDENTITY FULL', t.name) FROM signal_table AS t
    JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(t.name)) WHERE t.has_whole_rows AND c.relreplident <> 'f' \gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), :'hub') \gexec
SELECT format('GRANT SELECT%s ON %I TO %I', ' (' || c.columns || ')', t.name, :'hub')
    FROM signal_table AS t LEFT JOIN signal_columns AS c USING (name) \gexec

SELECT format('CREATE PUBLICATION %I WITH (publish_via_partition_root = true)', :'publication')
    WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = :'publication') \gexec
-- PostgreSQL knows lists of columns from 15 on: before, all columns go through the stream.
SELECT format('ALTER PUBLICATION %I ADD TABLE %I%s', :'publication', t.name,
        CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' (' || c.columns || ')' END)
    FROM signal_table AS t LEFT JOIN signal_columns AS c USING (name) WHERE NOT EXISTS (
        SELECT FROM pg_publication_tables AS p WHERE p.pubname = :'publication' AND p.tablename = t.name) \gexec
