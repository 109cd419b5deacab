// TypeORM: entities with relations synchronised, changed and reverted by migrations, transactions with savepoints, eager and paged
// reads, tree and JSON columns, upserts, a failover. usage: client_typeorm.js PORT
'use strict';
const { assert, server, tls, refused, survive, run } = require('./common.js');
const { DataSource, EntitySchema, Like, In, MoreThan, Table, TableColumn, TableIndex, TableForeignKey } = require('typeorm');

const User = new EntitySchema({
  name: 'User', tableName: 'users',
  columns: {
    id: { type: 'int', primary: true, generated: true, unsigned: true },
    name: { type: 'varchar', length: 60 },
    level: { type: 'enum', enum: ['new', 'known'], default: 'new' },
    tags: { type: 'simple-array', nullable: true },
    settings: { type: 'json', nullable: true },
    score: { type: 'decimal', precision: 8, scale: 2, default: 0 },
    active: { type: 'boolean', default: true },
    born: { type: 'date', nullable: true },
    made: { type: 'datetime', createDate: true, precision: 6 },
    changed: { type: 'timestamp', updateDate: true },
    gone: { type: 'datetime', deleteDate: true, nullable: true },
    version: { type: 'int', version: true },
  },
  indices: [{ name: 'by_name', columns: ['name'], unique: true }],
  relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author', cascade: true } },
});
const Post = new EntitySchema({
  name: 'Post', tableName: 'posts',
  columns: {
    id: { type: 'varchar', length: 36, primary: true, generated: 'uuid' },
    title: { type: 'varchar', comment: "the 'title'" },
    body: { type: 'mediumtext', nullable: true },
    views: { type: 'bigint', default: 0 },
    raw: { type: 'varbinary', length: 16, nullable: true },
  },
  relations: {
    author: { type: 'many-to-one', target: 'User', inverseSide: 'posts', onDelete: 'CASCADE', nullable: false },
    labels: { type: 'many-to-many', target: 'Label', joinTable: { name: 'post_labels' }, cascade: true },
  },
});
const Label = new EntitySchema({
  name: 'Label', tableName: 'labels',
  columns: { word: { type: 'varchar', length: 20, primary: true }, rank: { type: 'int', default: 0 } },
});

class AddAudit1700000000000 {
  async up(runner) {
    await runner.createTable(new Table({ name: 'audit', columns: [
      { name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment' },
      { name: 'user_id', type: 'int', unsigned: true }, { name: 'what', type: 'varchar', length: '30' }] }), true);
    await runner.createForeignKey('audit', new TableForeignKey({ name: 'audit_user', columnNames: ['user_id'], referencedTableName: 'users', referencedColumnNames: ['id'], onDelete: 'CASCADE' }));
    await runner.createIndex('audit', new TableIndex({ name: 'by_what', columnNames: ['what'] }));
    await runner.addColumn('audit', new TableColumn({ name: 'at', type: 'datetime', isNullable: true }));
    await runner.changeColumn('audit', 'at', new TableColumn({ name: 'at', type: 'datetime', default: 'CURRENT_TIMESTAMP' }));
    await runner.renameColumn('audit', 'what', 'action');
  }
  async down(runner) {
    await runner.dropTable('audit');
  }
}

async function migrate(db) {
  await db.synchronize();
  const runner = db.createQueryRunner();
  const ran = await db.runMigrations();
  assert.equal(ran.length, 1);
  const audit = await runner.getTable('audit');
  assert.deepEqual(audit.columns.map((c) => [c.name, c.type, c.isGenerated]).sort(), [['action', 'varchar', false], ['at', 'datetime', false], ['id', 'int', true], ['user_id', 'int', false]]);
  assert.deepEqual([audit.foreignKeys.map((k) => [k.name, k.columnNames, k.referencedTableName, k.onDelete]), audit.indices.map((i) => i.name)],
    [[['audit_user', ['user_id'], 'users', 'CASCADE']], ['by_what']]);
  await db.undoLastMigration();
  assert.equal(await runner.hasTable('audit'), false);
  // What it introspects is what it made: nothing is left to change.
  const left = await db.driver.createSchemaBuilder().log();
  assert.deepEqual(left.upQueries.map((q) => q.query), []);
  await runner.release();
}

async function write(db) {
  const users = db.getRepository(User);
  const ann = await users.save({ name: 'Ann', score: 1.5, born: '1990-02-03', tags: ['a', 'b'], settings: { a: [1, 'x'] },
    posts: [{ title: 'One', labels: [{ word: 'sea' }, { word: 'sky', rank: 2 }] }, { title: 'Two', raw: Buffer.from([0, 255]) }] });
  assert.deepEqual([ann.id, ann.version, ann.active, ann.made instanceof Date], [1, 1, true, true]);
  const made = await users.insert([{ name: 'Bob' }, { name: 'Zoë 😀', level: 'known' }]);
  assert.deepEqual(made.identifiers, [{ id: 2 }, { id: 3 }]);
  await users.upsert([{ name: 'Bob', score: 7 }], ['name']);
  await users.increment({ name: 'Bob' }, 'score', 2);
  ann.settings.more = true;
  assert.equal((await users.save(ann)).version, 2);
  await assert.rejects(db.transaction('SERIALIZABLE', async (m) => {
    await m.delete(User, { name: 'Ann' });
    throw new Error('undo');
  }), /undo/);
  await db.transaction(async (m) => {
    const locked = await m.findOne(User, { where: { name: 'Bob' }, lock: { mode: 'pessimistic_write' } });
    await m.update(User, locked.id, { level: 'known' });
    await m.transaction((inner) => inner.save(Label, { word: 'inner' }));
    await assert.rejects(m.transaction(async (inner) => {
      await inner.delete(Label, { word: 'inner' });
      throw new Error('inner');
    }), /inner/);
  });
}

async function read(db) {
  const users = db.getRepository(User);
  const [page, count] = await users.createQueryBuilder('u').leftJoinAndSelect('u.posts', 'p').leftJoinAndSelect('p.labels', 'l')
    .orderBy('u.name').skip(0).take(2).getManyAndCount();
  page[0].posts.sort((a, b) => (a.title < b.title ? -1 : 1));
  assert.deepEqual([count, page.map((u) => [u.name, u.score, u.posts.map((p) => [p.title, p.labels.map((l) => l.word).sort()])])],
    [3, [['Ann', '1.50', [['One', ['sea', 'sky']], ['Two', []]]], ['Bob', '9.00', []]]]);
  assert.deepEqual([page[0].settings, page[0].tags, page[0].born, page[0].active, page[0].posts[1].raw, page[0].posts[1].views],
    [{ a: [1, 'x'], more: true }, ['a', 'b'], '1990-02-03', true, Buffer.from([0, 255]), '0']);
  assert.equal(await users.countBy({ name: Like('%o%'), level: In(['new', 'known']), score: MoreThan(-1) }), 2);
  const raw = await users.createQueryBuilder('u').leftJoin('u.posts', 'p').select('u.name', 'name').addSelect('COUNT(p.id)', 'n')
    .groupBy('u.id').having('COUNT(p.id) > :n', { n: 0 }).getRawMany();
  assert.deepEqual(raw, [{ name: 'Ann', n: '2' }]);
  const sub = await db.getRepository(Post).createQueryBuilder('p').where((q) => 'p.authorId IN ' + q.subQuery().select('u.id').from(User, 'u').where('u.name = :name').getQuery())
    .setParameter('name', 'Ann').orderBy('p.title').getMany();
  assert.deepEqual(sub.map((p) => p.title), ['One', 'Two']);
  assert.equal(await users.exists({ where: { posts: { labels: { word: 'sky' } } } }), true);
  assert.deepEqual([await users.sum('score'), await users.maximum('score')], [10.5, 9]);
  await users.softDelete({ name: 'Bob' });
  assert.deepEqual([await users.count(), await users.count({ withDeleted: true })], [2, 3]);
  await users.restore({ name: 'Bob' });
  const stream = await users.createQueryBuilder('u').stream();
  let rows = 0;
  for await (const row of stream) rows += row.u_id > 0;
  assert.equal(rows, 3);
}

run(async () => {
  const admin = await require('mysql2/promise').createConnection({ ...server, ssl: tls });
  await admin.query('DROP DATABASE IF EXISTS node_typeorm');
  await admin.query('CREATE DATABASE node_typeorm');
  await admin.end();
  const db = await new DataSource({ type: 'mysql', host: '127.0.0.1', port: server.port, username: 'root', password: '', database: 'node_typeorm', ssl: tls,
    timezone: 'Z', entities: [User, Post, Label], migrations: [AddAudit1700000000000], poolSize: 4 }).initialize();
  await migrate(db);
  await write(db);
  await read(db);
  await refused(1062, () => db.getRepository(User).insert({ name: 'Ann' }));
  await refused(1452, () => db.getRepository(Post).insert({ title: 'x', author: { id: 99 } }));
  await survive(async () => (await db.getRepository(User).find({ order: { id: 'ASC' } })).map((u) => u.name), ['Ann', 'Bob', 'Zoë 😀']);
  await db.destroy();
});
