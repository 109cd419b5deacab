// Knex: migrations under its lock table, schema changes, queries with relations, transactions with savepoints, introspection, a failover.
// usage: client_knex.js PORT
'use strict';
const { assert, server, tls, refused, survive, run } = require('./common.js');
const makeKnex = require('knex');

// Migrations from memory, as an application has them in files.
const migrations = {
  async getMigrations() { return ['001_make', '002_change']; },
  getMigrationName: (name) => name,
  getMigration: (name) => ({ '001_make': { up: make, down: unmake }, '002_change': { up: change, down: unchange } })[name],
};

async function make(db) {
  await db.schema.createTable('users', (t) => {
    t.increments('id');
    t.string('name', 60).notNullable().unique();
    t.enu('level', ['new', 'known']).defaultTo('new');
    t.decimal('score', 8, 2).notNullable().defaultTo(0);
    t.json('settings');
    t.timestamps(true, true);
  });
  await db.schema.createTable('posts', (t) => {
    t.bigIncrements('id');
    t.integer('user_id').unsigned().notNullable().references('id').inTable('users').onDelete('CASCADE').index('posts_by_user');
    t.string('title').notNullable().comment("a 'title'");
    t.text('body', 'mediumtext');
    t.binary('raw');
    t.uuid('key');
    t.check('char_length(??) > 0', ['title'], 'has_title');
  });
}
async function unmake(db) {
  await db.schema.dropTable('posts').dropTable('users');
}
async function change(db) {
  await db.schema.alterTable('users', (t) => {
    t.string('email').nullable().after('name');
    t.index(['email', 'name'], 'by_email');
  });
  await db.schema.alterTable('users', (t) => t.string('email', 100).notNullable().defaultTo('-').alter());
  await db.schema.alterTable('users', (t) => t.renameColumn('email', 'mail'));
}
async function unchange(db) {
  await db.schema.alterTable('users', (t) => {
    t.dropIndex([], 'by_email');
    t.dropColumn('mail');
  });
}

async function migrate(db) {
  const config = { migrationSource: migrations };
  assert.deepEqual((await db.migrate.latest(config))[1], ['001_make', '002_change']);
  assert.equal(await db.schema.hasColumn('users', 'mail'), true);
  assert.deepEqual((await db.migrate.rollback(config))[1], ['002_change', '001_make']);
  assert.equal(await db.schema.hasTable('users'), false);
  await db.migrate.latest(config);
  assert.deepEqual((await db.migrate.list(config))[1], []);
  const info = await db('users').columnInfo();
  assert.deepEqual([info.mail, info.id.type], [{ defaultValue: '-', type: 'varchar', maxLength: 100, nullable: false }, 'int']);
}

async function write(db) {
  const [id] = await db('users').insert({ name: 'Ann', score: 1.5, level: 'known', settings: JSON.stringify({ a: { b: [1, 'x'] } }) });
  await db('users').insert([{ name: 'Bob' }, { name: 'Zoë 😀' }]);
  await db('users').insert({ name: 'Bob', score: 4 }).onConflict('name').merge(['score']);
  await db('users').insert({ name: 'Bob', score: 9 }).onConflict('name').ignore();
  await db.transaction(async (trx) => {
    await trx('users').where({ id }).increment('score', 2);
    await assert.rejects(trx.transaction(async (inner) => {
      await inner('users').del();
      throw new Error('inner');
    }), /inner/);
    assert.equal((await trx('users').where({ id }).forUpdate().skipLocked().first()).score, '3.50');
  }, { isolationLevel: 'repeatable read' });
  await assert.rejects(db.transaction(async (trx) => {
    await trx('users').update({ score: 99 });
    throw new Error('outer');
  }), /outer/);
}

async function read(db) {
  await db.batchInsert('posts', Array.from({ length: 300 }, (_, i) => ({ user_id: 1 + (i % 2), title: `post ${i}`, raw: Buffer.from([i % 256]) })), 70);
  const joined = await db('users as u').leftJoin('posts as p', 'p.user_id', 'u.id').groupBy('u.id').orderBy('u.name').select('u.name').count('p.id as n').max('p.title as t');
  assert.deepEqual(joined, [{ name: 'Ann', n: 150, t: 'post 98' }, { name: 'Bob', n: 150, t: 'post 99' }, { name: 'Zoë 😀', n: 0, t: null }]);
  const top = await db.with('ranked', db('posts').select('*', db.raw('row_number() over (partition by user_id order by id desc) as place')))
    .select('title').from('ranked').where('place', '<=', 2).orderBy('title');
  assert.deepEqual(top.map((r) => r.title), ['post 296', 'post 297', 'post 298', 'post 299']);
  assert.deepEqual(await db('users').jsonExtract('settings', '$.a.b[1]', 'x').where('id', 1).first(), { x: 'x' });
  assert.equal((await db('users').whereJsonObject('settings', { a: { b: [1, 'x'] } }).first()).name, 'Ann');
  assert.equal((await db('users').whereJsonPath('settings', '$.a.b[0]', '=', 1).first()).name, 'Ann');
  assert.equal((await db('users').whereExists(db('posts').whereRaw('posts.user_id = users.id')).orWhereIn('id', [99])).length, 2);
  assert.deepEqual(await db('posts').where('user_id', 1).sum('id as s').avg('id as a').countDistinct('user_id as d').first(), { s: '22500', a: '150.0000', d: 1 });
  const union = await db('users').select('name').where('id', 1).union([db('users').select('name').where('id', 2)], true).orderBy('name', 'desc');
  assert.deepEqual(union, [{ name: 'Bob' }, { name: 'Ann' }]);
  let rows = 0;
  for await (const row of db('posts').select('id').stream()) rows += row.id > 0;
  assert.equal(rows, 300);
  assert.equal(await db('posts').join('users', 'users.id', 'posts.user_id').where('users.name', 'Bob').del(), 150);
}

run(async () => {
  const connection = { ...server, ssl: tls };
  const admin = makeKnex({ client: 'mysql2', connection });
  await admin.raw('DROP DATABASE IF EXISTS node_knex');
  await admin.raw('CREATE DATABASE node_knex');
  await admin.destroy();
  const db = makeKnex({ client: 'mysql2', connection: { ...connection, database: 'node_knex' }, pool: { min: 0, max: 4 } });
  await migrate(db);
  await write(db);
  await read(db);
  await refused(1062, () => db('users').insert({ name: 'Ann' }));
  await refused(1452, () => db('posts').insert({ user_id: 77, title: 'x' }));
  await refused(3819, () => db('posts').insert({ user_id: 1, title: '' }));
  await survive(async () => (await db('users').select('name', 'score').orderBy('id')).map((r) => [r.name, r.score]),
    [['Ann', '3.50'], ['Bob', '4.00'], ['Zoë 😀', '0.00']]);
  await db.destroy();
});
