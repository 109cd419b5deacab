// Node's mariadb connector: TLS, batches, values, transactions, a streamed result, errors, a failover. usage: client_mariadb.js PORT
'use strict';
const { assert, server, tls, refused, survive, run } = require('./common.js');
const mariadb = require('mariadb');

const options = { ...server, ssl: tls, timezone: 'Z', multipleStatements: true, bigIntAsNumber: false, insertIdAsNumber: true };

async function statements(db) {
  await db.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, n DECIMAL(8,2), big BIGINT, at DATETIME(6), j JSON, b BLOB, UNIQUE KEY by_name (name))');
  const made = await db.execute('INSERT INTO t (name, n, big, at, j, b) VALUES (?, ?, ?, ?, ?, ?)',
    ['Zoë 😀', '10.50', 9007199254740993n, new Date('2024-02-29T01:02:03.004Z'), '{"a": 1}', Buffer.from([0, 1, 39, 92])]);
  assert.deepEqual([made.affectedRows, made.insertId], [1, 1]);
  const want = [{ id: 1, name: 'Zoë 😀', n: '10.50', big: 9007199254740993n, at: new Date('2024-02-29T01:02:03.004Z'), j: { a: 1 }, b: Buffer.from([0, 1, 39, 92]) }];
  for (const method of ['query', 'execute']) {
    const rows = await db[method]('SELECT * FROM t WHERE id = ?', [1]);
    assert.deepEqual([...rows].map((r) => ({ ...r, j: typeof r.j === 'string' ? JSON.parse(r.j) : r.j })), want, method);
  }
  const batch = await db.batch('INSERT INTO t (name, big) VALUES (?, ?)', Array.from({ length: 500 }, (_, i) => [`n${i}`, i]));
  assert.equal(batch.length, 500);
  assert.equal(batch[499].affectedRows, 1);
  const counted = await db.query('SELECT COUNT(*) AS c, SUM(big) AS s FROM t WHERE id > 1');
  assert.deepEqual([counted[0].c, counted[0].s], [500n, '124750']);
  const sets = await db.query('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepEqual([sets[0][0].a, sets[1][0].b], [1n, 2n]);
  const meta = (await db.query('SELECT n, name AS alias FROM t x LIMIT 1')).meta;
  assert.deepEqual([meta[0].orgTable(), meta[0].table(), meta[1].name(), meta[1].orgName()], ['t', 'x', 'alias', 'name']);
}

async function transactions(db, pool) {
  await db.beginTransaction();
  await db.query("UPDATE t SET n = 0 WHERE name = 'n1'");
  await db.rollback();
  assert.equal((await db.query("SELECT n FROM t WHERE name = 'n1'"))[0].n, null);
  await db.beginTransaction();
  await db.execute('UPDATE t SET n = ? WHERE name = ?', ['1.25', 'n1']);
  await db.commit();
  assert.equal((await pool.query("SELECT n FROM t WHERE name = 'n1'"))[0].n, '1.25');
  let rows = 0;
  for await (const row of db.queryStream('SELECT id FROM t')) rows += row.id > 0;
  assert.equal(rows, 501);
  await db.ping();
  await db.reset();
}

async function errors(db) {
  const error = await refused(1062, () => db.query("INSERT INTO t (name) VALUES ('n1')"));
  assert.deepEqual([error.sqlState, error.code], ['23000', 'ER_DUP_ENTRY']);
  await refused(1146, () => db.query('SELECT * FROM nothing'));
  await refused(1064, () => db.execute('SELEC 1'));
  await refused(1045, () => mariadb.createConnection({ ...options, user: 'nobody' }));
}

run(async () => {
  const db = await mariadb.createConnection(options);
  assert.match(db.serverVersion(), /^\d+\.\d+\.\d+/);
  assert.notEqual((await db.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0].Value, '');
  await db.query('DROP DATABASE IF EXISTS node_mariadb; CREATE DATABASE node_mariadb; USE node_mariadb');
  const pool = mariadb.createPool({ ...options, database: 'node_mariadb', connectionLimit: 3 });
  await statements(db);
  await transactions(db, pool);
  await errors(db);
  const compressed = await mariadb.createConnection({ ...options, compress: true });
  assert.equal((await compressed.query("SELECT REPEAT('x', 100000) AS r"))[0].r.length, 100000);
  await compressed.end();
  await db.end();
  await survive(async () => [...(await pool.query("SELECT n FROM t WHERE name IN ('n1', 'n2') ORDER BY name"))], [{ n: '1.25' }, { n: null }]);
});
