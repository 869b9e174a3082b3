-- What the owner of Tryton's database does once, so that its changes can signal the hub; again after modules were installed.
--
--   psql -d tryton -v hub=multipoint -f drivers/Tryton/signal.sql                       as a superuser: only they give the right to replicate
--   psql -d tryton -v hub=multipoint -v publication=NAME -f drivers/Tryton/signal.sql   where hub.yaml calls the application otherwise
--
-- hub is the role that the setting signal.connection names; give it a password (\password multipoint) and a line in pg_hba.conf.
\if :{?publication}
\else
    \set publication multipoint_tryton
\endif

-- The tables of signal.tables; has_whole_rows: a row that goes has to say whose it was, or of which company.
CREATE TEMPORARY TABLE signal_table (name text, has_whole_rows boolean);
INSERT INTO signal_table VALUES
    ('party_party', false), ('party_address', true), ('party_contact_mechanism', true), ('party_identifier', true),
    ('party_party_lang', true), ('party_party_payment_term', true), ('party_party_credit_limit_amount', true),
    ('party_party_sale_price_list', true), ('product_product', false), ('product_template', false), ('product_identifier', true),
    ('product_list_price', true), ('sale_sale', true), ('sale_line', true), ('ir_attachment', false), ('account_invoice', true),
    ('account_invoice_line', true), ('account_invoice_tax', true), ('account_invoice-account_move_line', true),
    ('stock_shipment_out', true), ('stock_move', true);

-- Attachments are nobody's business: only whose they are.
CREATE TEMPORARY TABLE signal_columns AS SELECT 'ir_attachment' AS name, 'id, resource' AS columns;

\ir ../PostgreSQL/signal.sql
