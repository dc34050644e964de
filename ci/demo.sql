-- The demo's production: a believable shop. shop_until(T) lets it live on until T.
CREATE TABLE users (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	email text NOT NULL UNIQUE,
	name text NOT NULL,
	country char(2) NOT NULL,
	created_at timestamptz NOT NULL
);
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	status text NOT NULL CHECK (status IN ('cart', 'paid', 'shipped', 'returned')),
	total_cents integer NOT NULL CHECK (total_cents >= 0),
	created_at timestamptz NOT NULL
);
CREATE TABLE order_items (
	order_id bigint NOT NULL REFERENCES orders,
	line smallint NOT NULL,
	product text NOT NULL,
	quantity smallint NOT NULL CHECK (quantity > 0),
	price_cents integer NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (order_id, line)
);
CREATE TABLE transactions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL REFERENCES orders,
	provider text NOT NULL,
	reference uuid NOT NULL,
	amount_cents integer NOT NULL,
	booked_at timestamptz NOT NULL
);
CREATE TABLE audit_log (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	actor text NOT NULL,
	action text NOT NULL,
	detail jsonb NOT NULL,
	at timestamptz NOT NULL
);
CREATE INDEX ON orders (created_at);
CREATE INDEX ON orders (user_id);
CREATE INDEX ON transactions (order_id);
CREATE INDEX ON audit_log (at);
CREATE VIEW revenue AS
	SELECT date_trunc('day', created_at) AS day, sum(total_cents) / 100.0 AS amount
	FROM orders WHERE status IN ('paid', 'shipped') GROUP BY 1;

-- n orders at even intervals after the last one, up to until, with all that belongs to them.
CREATE PROCEDURE shop_until(until timestamptz, n integer) LANGUAGE plpgsql AS $$
DECLARE
	since timestamptz := coalesce((SELECT max(created_at) FROM orders), until - interval '200 days');
	step interval := (until - since) / n;
	first bigint := coalesce((SELECT max(id) FROM orders), 0) + 1;
BEGIN
	INSERT INTO users (email, name, country, created_at)
	SELECT 'u' || u.last + g || '@example.org', initcap(left(md5((u.last + g)::text), 9)),
		(ARRAY['DE', 'FR', 'NL', 'PL', 'US'])[1 + g % 5], since + (g * 5) * step
	FROM (SELECT coalesce(max(id), 0) AS last FROM users) u, generate_series(1, n / 5) g;

	INSERT INTO orders (user_id, status, total_cents, created_at)
	SELECT 1 + (g::bigint * 7919) % (SELECT max(id) FROM users),
		(ARRAY['cart', 'paid', 'shipped', 'shipped', 'returned'])[1 + g % 5],
		500 + (g::bigint * 104729) % 20000, since + g * step
	FROM generate_series(1, n) g;

	INSERT INTO order_items
	SELECT id, line, 'SKU-' || 1000 + (id * line) % 700, 1 + (id + line) % 3,
		100 + (id * 31 + line) % 9000, created_at
	FROM orders, generate_series(1, 2) line WHERE id >= first;

	INSERT INTO transactions (order_id, provider, reference, amount_cents, booked_at)
	SELECT id, (ARRAY['card', 'transfer', 'wallet'])[1 + id % 3], md5(id::text)::uuid,
		total_cents, created_at
	FROM orders WHERE id >= first AND status <> 'cart';

	INSERT INTO audit_log (actor, action, detail, at)
	SELECT 'user:' || user_id, 'order.' || status, jsonb_build_object('order', id), created_at
	FROM orders WHERE id >= first;
END $$;
