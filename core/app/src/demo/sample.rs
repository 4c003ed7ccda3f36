//! A small business, and what happens to it between backups.

/// The business as it opens. About twenty thousand rows; ordinary things of every kind.
pub const SAMPLE: &str = "
CREATE SCHEMA shop;
CREATE TYPE shop.order_state AS ENUM ('open', 'paid', 'sent');
CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL,
    since date NOT NULL
);
CREATE TABLE shop.product (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    price numeric(10, 2) NOT NULL CHECK (price > 0),
    facts jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES shop.customer,
    state shop.order_state NOT NULL DEFAULT 'open',
    placed_at timestamptz NOT NULL
);
CREATE TABLE shop.order_line (
    order_id bigint NOT NULL REFERENCES shop.orders,
    position int NOT NULL,
    product_id bigint NOT NULL REFERENCES shop.product,
    quantity int NOT NULL CHECK (quantity > 0),
    unit_price numeric(10, 2) NOT NULL,
    total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (order_id, position)
);
CREATE TABLE shop.stock (
    product_id bigint PRIMARY KEY REFERENCES shop.product,
    quantity int NOT NULL
);
CREATE TABLE shop.cart (id uuid PRIMARY KEY, contents jsonb NOT NULL);
CREATE TABLE shop.old_price_list (product_id bigint, price numeric(10, 2));
CREATE SEQUENCE shop.invoice_number START 1000;
CREATE INDEX orders_placed_at ON shop.orders (placed_at);
CREATE VIEW shop.open_order AS SELECT * FROM shop.orders WHERE state = 'open';
COMMENT ON TABLE shop.cart IS 'What customers have not paid yet';

INSERT INTO shop.customer (name, city, since)
    SELECT 'Customer ' || n, (ARRAY['Rosario', 'Córdoba', 'Ushuaia'])[n % 3 + 1], date '2020-01-01' + n
      FROM generate_series(1, 2000) n;
INSERT INTO shop.product (name, price, facts)
    SELECT 'Product ' || n, (n % 97 + 1) * 1.25, jsonb_build_object('weight', n % 13, 'tags', ARRAY['a', 'b'])
      FROM generate_series(1, 500) n;
INSERT INTO shop.orders (customer_id, state, placed_at)
    SELECT n % 2000 + 1, 'paid', timestamptz '2026-01-01 09:00Z' + n * interval '7 minutes'
      FROM generate_series(1, 5000) n;
INSERT INTO shop.order_line (order_id, position, product_id, quantity, unit_price)
    SELECT n, p, (n * p) % 500 + 1, n % 5 + 1, (n % 50 + 1) * 1.1
      FROM generate_series(1, 5000) n, generate_series(1, 2) p;
INSERT INTO shop.stock SELECT id, 100 FROM shop.product;
INSERT INTO shop.cart SELECT gen_random_uuid(), jsonb_build_object('items', n) FROM generate_series(1, 300) n;
INSERT INTO shop.old_price_list SELECT id, price FROM shop.product;
SELECT setval('shop.invoice_number', 1041);
";

/// What happens between the first backup and the second.
pub const FIRST_CHANGES: &str = "
INSERT INTO shop.orders (customer_id, placed_at) VALUES (7, timestamptz '2026-03-01 10:00Z');
INSERT INTO shop.order_line (order_id, position, product_id, quantity, unit_price)
    SELECT max(id), 1, 3, 2, 9.99 FROM shop.orders;
TRUNCATE shop.cart;
ALTER TABLE shop.customer ADD COLUMN email text;
UPDATE shop.customer SET email = 'c' || id || '@example.com' WHERE id % 10 = 0;
CREATE TABLE shop.supplier (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO shop.supplier VALUES (1, 'Norte'), (2, 'Sur');
DROP TABLE shop.old_price_list;
SELECT nextval('shop.invoice_number');
";

/// What happens between the second and the third.
pub const MORE_CHANGES: &str = "
UPDATE shop.stock SET quantity = quantity - 1 WHERE product_id = 3;
DELETE FROM shop.supplier WHERE id = 2;
ALTER TYPE shop.order_state ADD VALUE 'returned';
CREATE INDEX customer_city ON shop.customer (city);
CREATE TABLE shop.visit (day date PRIMARY KEY, visitors int NOT NULL);
INSERT INTO shop.visit VALUES ('2026-03-02', 41);
";

/// The accident after the last backup.
pub const ACCIDENT: &str = "DELETE FROM shop.order_line";

/// Table that the accident empties.
pub const VICTIM: &str = "shop.order_line";
