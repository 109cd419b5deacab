-- A schema with every type and what a dump has to bring back. Read by client_cli.py.
CREATE DATABASE shop;
USE shop;
CREATE TABLE customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(80) NOT NULL COMMENT 'who''s that',
  email VARCHAR(120) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  level ENUM('bronze','silver','gold') NOT NULL DEFAULT 'bronze',
  tags SET('a','b','c') DEFAULT NULL,
  born DATE DEFAULT NULL,
  seen TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  changed DATETIME(3) DEFAULT NULL,
  spent DECIMAL(12,2) NOT NULL DEFAULT '0.00',
  score DOUBLE DEFAULT NULL,
  ratio FLOAT DEFAULT NULL,
  flags BIT(5) DEFAULT NULL,
  code BINARY(4) DEFAULT NULL,
  picture BLOB,
  notes TEXT,
  profile JSON DEFAULT NULL,
  y YEAR DEFAULT NULL,
  t TIME DEFAULT NULL,
  full_name VARCHAR(100) GENERATED ALWAYS AS (CONCAT(name, '!')) STORED,
  initial CHAR(1) GENERATED ALWAYS AS (LEFT(name, 1)) VIRTUAL,
  PRIMARY KEY (id),
  UNIQUE KEY email (email),
  KEY by_name (name(10), level DESC),
  CONSTRAINT spent_something CHECK (spent >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='the customers';
CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer INT UNSIGNED NOT NULL, total DECIMAL(10,2), KEY c (customer));
CREATE TABLE `odd ``name` (`a b` INT, `select` VARCHAR(10) DEFAULT 'x''y\\', UNIQUE KEY `k-1` (`a b`));
CREATE TABLE heap_of_rows (v VARCHAR(200));
INSERT INTO customers (name, email, level, tags, born, changed, spent, score, ratio, flags, code, picture, notes, profile, y, t) VALUES
 ('Ann', 'ann@x', 'gold', 'a,c', '1990-02-03', '2024-01-02 03:04:05.678', 10.50, 1.5, 0.25, b'10101', x'00ff27', '\0\n\r\\''"\Z', 'line1\nline2\ttab', '{"a": [1, "x"]}', 2020, '-12:30:00'),
 ('Zoë 😀', NULL, 'bronze', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO orders (customer, total) VALUES (1, 5), (1, 6.25), (2, NULL);
INSERT INTO `odd ``name` VALUES (1, 'one'), (NULL, NULL), (NULL, DEFAULT);
