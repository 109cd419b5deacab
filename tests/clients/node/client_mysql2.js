// Node's mysql2: a pool over TLS, text and prepared statements, values of every type, transactions, streams, errors, a failover.
// usage: client_mysql2.js PORT
'use strict';
const { assert, server, tls, refused, survive, run } = require('./common.js');
const mysql = require('mysql2/promise');

const options = { ...server, ssl: tls, charset: 'utf8mb4', timezone: 'Z', supportBigNumbers: true, multipleStatements: true };

async function values(db) {
  await db.query(`CREATE TABLE v (i INT, u BIGINT UNSIGNED, d DOUBLE, n DECIMAL(10,3), s VARCHAR(20), b VARBINARY(20), da DATE, ti TIME(3),
    dt DATETIME(3), y YEAR, z INT(6) UNSIGNED ZEROFILL, bi BIT(9), e ENUM('x','y'), j JSON, l LONGTEXT, nu INT)`);
  const row = [-5, '18446744073709551615', 1e300, '-12.345', 'é😀\\\'%', Buffer.from([0, 255, 39]), '1999-12-31', '-700:00:00.000',
    new Date('2024-02-29T23:59:59.999Z'), 2024, 42, 5, 'y', { k: [1, 2.5, null, 'ü'] }, 'x'.repeat(70000), null];
  const want = { i: -5, u: '18446744073709551615', d: 1e300, n: '-12.345', s: 'é😀\\\'%', b: Buffer.from([0, 255, 39]),
    da: new Date('1999-12-31T00:00:00Z'), ti: '-700:00:00.000', dt: new Date('2024-02-29T23:59:59.999Z'), y: 2024, z: 42,
    bi: Buffer.from([0, 5]), e: 'y', j: { k: [1, 2.5, null, 'ü'] }, l: 'x'.repeat(70000), nu: null };
  const marks = row.map(() => '?').join(',');
  const texts = row.map((v) => (v !== null && v.k ? JSON.stringify(v) : v));
  await db.query(`INSERT INTO v VALUES (${marks})`, texts);
  await db.execute(`INSERT INTO v VALUES (${marks})`, texts);
  for (const method of ['query', 'execute']) {
    const [rows, fields] = await db[method]('SELECT * FROM v');
    assert.deepEqual(rows.map((r) => ({ ...r, ti: r.ti.length === 10 ? r.ti + '.000' : r.ti })), [want, want], method);
    assert.deepEqual(fields.slice(0, 4).map((f) => f.columnType), [3, 8, 5, 246]);
  }
}

async function statements(pool) {
  const [[mine]] = await pool.query('SELECT @@collation_connection AS c');
  assert.equal(mine.c, 'utf8mb4_general_ci'); // the driver's own, told in the handshake
  await pool.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE, n INT)');
  const [made] = await pool.query('INSERT INTO t (name, n) VALUES ?', [[['a', 1], ['b', 2], ['c', null]]]);
  assert.deepEqual([made.affectedRows, made.insertId, made.info], [3, 1, 'Records: 3  Duplicates: 0  Warnings: 0']);
  const [changed] = await pool.query('UPDATE t SET n = 1 WHERE n <= 2');
  assert.deepEqual([changed.affectedRows, changed.changedRows], [2, 1]);
  const [sets] = await pool.query('SELECT 1 AS a; DO 0; SELECT name FROM t WHERE id = 3');
  assert.deepEqual([sets[0], sets[1].affectedRows, sets[2]], [[{ a: 1 }], 0, [{ name: 'c' }]]);
  const [limited] = await pool.execute('SELECT id FROM t ORDER BY id LIMIT ? OFFSET ?', ['2', '1']);
  assert.deepEqual(limited, [{ id: 2 }, { id: 3 }]);
  const [sums] = await pool.execute('SELECT SUM(n) + ? AS s, COUNT(*) AS c, ? AS p FROM t WHERE name IN (?, ?)', [1, 'q', 'a', 'b']);
  assert.deepEqual(sums, [{ s: 3, c: 2, p: 'q' }]);
  const [nested] = await pool.query({ sql: 'SELECT x.id, y.id FROM t x JOIN t y ON y.id = x.id + 1 ORDER BY x.id', nestTables: true });
  assert.deepEqual(nested, [{ x: { id: 1 }, y: { id: 2 } }, { x: { id: 2 }, y: { id: 3 } }]);
}

async function transactions(pool) {
  const db = await pool.getConnection();
  await db.beginTransaction();
  await db.execute('INSERT INTO t (name) VALUES (?)', ['gone']);
  const [[seen]] = await pool.query("SELECT COUNT(*) AS c FROM t WHERE name = 'gone'");
  assert.equal(seen.c, 0, 'another session reads what is not committed');
  await db.rollback();
  await db.beginTransaction();
  await db.execute('UPDATE t SET n = n + 10 WHERE name = ?', ['a']);
  await db.commit();
  assert.deepEqual((await db.query('SELECT n FROM t WHERE name = ?', ['a']))[0], [{ n: 11 }]);
  await db.ping();
  await db.changeUser({ database: 'node_mysql2' });
  db.release();
}

async function stream(pool) {
  await pool.query('CREATE TABLE big (id INT PRIMARY KEY, s VARCHAR(100))');
  const rows = Array.from({ length: 5000 }, (_, i) => [i, `row ${i}`]);
  await pool.query('INSERT INTO big VALUES ?', [rows]);
  const plain = require('mysql2').createConnection({ ...options, database: 'node_mysql2' });
  let sum = 0;
  for await (const row of plain.query('SELECT id FROM big').stream()) sum += row.id;
  assert.equal(sum, (4999 * 5000) / 2);
  plain.end();
}

async function errors(pool) {
  assert.equal((await refused(1062, () => pool.execute("INSERT INTO t (name) VALUES ('a')"))).sqlMessage, "Duplicate entry 'a' for key 't.name'");
  assert.equal((await refused(1146, () => pool.query('SELECT * FROM nothing'))).sqlState, '42S02');
  await refused(1064, () => pool.execute('SELEC ?', [1]));
  await refused(1054, () => pool.query('SELECT nothing FROM t'));
  await refused(1048, () => pool.execute('INSERT INTO t (name) VALUES (?)', [null]));
  await refused(1045, () => mysql.createConnection({ ...options, user: 'nobody' }));
  await refused(1049, () => mysql.createConnection({ ...options, database: 'nothing' }));
}

run(async () => {
  const db = await mysql.createConnection(options);
  assert.match((await db.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0][0].Value, /^TLS_|^ECDHE/);
  await db.query('DROP DATABASE IF EXISTS node_mysql2; CREATE DATABASE node_mysql2; USE node_mysql2');
  await values(db);
  await db.end();
  const pool = mysql.createPool({ ...options, database: 'node_mysql2', connectionLimit: 4 });
  await statements(pool);
  await transactions(pool);
  await stream(pool);
  await errors(pool);
  const compressed = await mysql.createConnection({ ...options, compress: true });
  assert.equal((await compressed.query("SELECT REPEAT('x', 100000) AS r"))[0][0].r.length, 100000);
  await survive(async () => (await pool.execute('SELECT name, n FROM t ORDER BY id'))[0], [{ name: 'a', n: 11 }, { name: 'b', n: 1 }, { name: 'c', n: null }]);
});
