-- What the owner of Odoo's database does once, so that its changes can signal the hub; again after modules were installed.
--
--   psql -d odoo -v hub=multipoint -f drivers/Odoo/signal.sql                       as a superuser: only they give the right to replicate
--   psql -d odoo -v hub=multipoint -v publication=NAME -f drivers/Odoo/signal.sql   where hub.yaml calls the application otherwise
--
-- hub is the role that the setting signal.connection names; give it a password (\password multipoint) and a line in pg_hba.conf.
\if :{?publication}
\else
    \set publication multipoint_odoo
\endif

-- The tables of signal.tables; has_whole_rows: a row that goes has to say whose it was, or of which company.
CREATE TEMPORARY TABLE signal_table (name text, has_whole_rows boolean);
INSERT INTO signal_table VALUES
    ('res_partner', false), ('product_product', false), ('product_template', false), ('product_pricelist', false),
    ('product_pricelist_item', true), ('crm_lead', false), ('sale_order', true), ('sale_order_line', true), ('account_move', true);
CREATE TEMPORARY TABLE signal_columns (name text, columns text);

\ir ../PostgreSQL/signal.sql
