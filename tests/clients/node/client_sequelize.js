// Sequelize: models with relations synced, altered and introspected, transactions with savepoints, eager loading, upserts, a failover.
// usage: client_sequelize.js PORT
'use strict';
const { assert, server, tls, refused, survive, run } = require('./common.js');
const { Sequelize, DataTypes, Op, UniqueConstraintError, ForeignKeyConstraintError, OptimisticLockError } = require('sequelize');

async function create() {
  const admin = await require('mysql2/promise').createConnection({ ...server, ssl: tls, multipleStatements: true });
  await admin.query('DROP DATABASE IF EXISTS node_sequelize; CREATE DATABASE node_sequelize');
  await admin.end();
  return new Sequelize('node_sequelize', 'root', '', { host: '127.0.0.1', port: server.port, dialect: 'mysql', logging: false,
    dialectOptions: { ssl: tls }, pool: { max: 4, idle: 1000 }, retry: { match: [/ECONN|closed state|Connection lost|SequelizeConnection/], max: 10 } });
}

function models(db) {
  const Author = db.define('Author', { name: { type: DataTypes.STRING(60), allowNull: false, unique: true }, born: DataTypes.DATEONLY,
    score: { type: DataTypes.DECIMAL(8, 2), defaultValue: '0.00' }, level: DataTypes.ENUM('new', 'known'), settings: DataTypes.JSON }, { version: true });
  const Book = db.define('Book', { id: { type: DataTypes.UUID, primaryKey: true, defaultValue: DataTypes.UUIDV4 }, title: DataTypes.STRING,
    pages: DataTypes.INTEGER.UNSIGNED, cover: DataTypes.BLOB('medium'), out: { type: DataTypes.BOOLEAN, defaultValue: false } },
    { indexes: [{ fields: ['title'] }, { unique: true, fields: ['title', 'AuthorId'] }], paranoid: true });
  const Tag = db.define('Tag', { word: { type: DataTypes.STRING(20), primaryKey: true } }, { timestamps: false });
  Author.hasMany(Book, { as: 'books', foreignKey: { name: 'AuthorId', allowNull: false }, onDelete: 'CASCADE' });
  Book.belongsTo(Author, { as: 'author', foreignKey: 'AuthorId' });
  Book.belongsToMany(Tag, { through: 'BookTags' });
  Tag.belongsToMany(Book, { through: 'BookTags' });
  return { Author, Book, Tag };
}

async function write(db, { Author, Book, Tag }) {
  const ann = await Author.create({ name: 'Ann', born: '1990-02-03', score: '1.5', level: 'known', settings: { a: [1, 'x'] },
    books: [{ title: 'One', pages: 10, cover: Buffer.from([0, 255]) }, { title: 'Two', pages: 20 }] }, { include: 'books' });
  await Author.bulkCreate([{ name: 'Bob' }, { name: 'Zoë 😀', level: 'new' }]);
  await Author.bulkCreate([{ name: 'Bob', score: 7 }], { updateOnDuplicate: ['score'] });
  const tag = await Tag.create({ word: 'sea' });
  await ann.books[0].addTag(tag);
  const [, made] = await Tag.findOrCreate({ where: { word: 'sea' } });
  assert.equal(made, false);
  await Tag.upsert({ word: 'sky' });
  await assert.rejects(db.transaction(async (t) => {
    await Author.update({ score: 99 }, { where: {}, transaction: t });
    throw new Error('undo');
  }), /undo/);
  await db.transaction({ isolationLevel: 'READ COMMITTED' }, async (t) => {
    const locked = await Author.findOne({ where: { name: 'Bob' }, lock: t.LOCK.UPDATE, skipLocked: true, transaction: t });
    await locked.increment('score', { by: 2, transaction: t });
    await db.transaction({ transaction: t }, (inner) => Tag.create({ word: 'inner' }, { transaction: inner }));
  });
}

async function read(db, { Author, Book, Tag }) {
  const all = await Author.findAll({ include: [{ association: 'books', include: [Tag] }], order: ['name', ['books', 'title', 'ASC']] });
  assert.deepEqual(all.map((a) => [a.name, a.score, a.books.map((b) => [b.title, b.Tags.map((t) => t.word)])]),
    [['Ann', '1.50', [['One', ['sea']], ['Two', []]]], ['Bob', '9.00', []], ['Zoë 😀', '0.00', []]]);
  assert.deepEqual([all[0].settings, all[0].born], [{ a: [1, 'x'] }, '1990-02-03']);
  const { count, rows } = await Book.findAndCountAll({ where: { pages: { [Op.between]: [5, 15] }, '$author.name$': 'Ann' }, include: 'author', limit: 5 });
  assert.deepEqual([count, rows[0].cover], [1, Buffer.from([0, 255])]);
  const sums = await Book.findAll({ attributes: ['AuthorId', [db.fn('SUM', db.col('pages')), 'total']], group: 'AuthorId', having: db.literal('total > 1'), raw: true });
  assert.deepEqual(sums, [{ AuthorId: 1, total: '30' }]);
  assert.equal(await Author.count({ where: { settings: { a: { [Op.ne]: null } } } }), 1);
  assert.equal((await Author.findOne({ where: db.where(db.json('settings.a[1]'), 'x') })).name, 'Ann');
  assert.equal((await Author.findAll({ limit: 1, include: { association: 'books', required: true } })).length, 1);
  await (await Book.findOne({ where: { title: 'Two' } })).destroy();
  assert.deepEqual([await Book.count(), await Book.count({ paranoid: false })], [1, 2]);
}

async function introspect(db, { Author }) {
  const query = db.getQueryInterface();
  assert.deepEqual((await query.showAllTables()).sort(), ['Authors', 'BookTags', 'Books', 'Tags']);
  const columns = await query.describeTable('Authors');
  assert.deepEqual([columns.id, columns.score.type, columns.level.type, columns.name.allowNull],
    [{ type: 'INT', allowNull: false, defaultValue: null, primaryKey: true, autoIncrement: true, comment: null }, 'DECIMAL(8,2)', "ENUM('new','known')", false]);
  const indexes = await query.showIndex('Books');
  assert.deepEqual(indexes.map((i) => [i.name, i.unique, i.fields.map((f) => f.attribute)]).sort(),
    [['PRIMARY', true, ['id']], ['AuthorId', false, ['AuthorId']], ['books_title', false, ['title']], ['books_title__author_id', true, ['title', 'AuthorId']]]
      .sort());
  const keys = await query.getForeignKeyReferencesForTable('Books');
  assert.deepEqual(keys.map((k) => [k.columnName, k.referencedTableName, k.referencedColumnName]), [['AuthorId', 'Authors', 'id']]);
  await query.addColumn('Authors', 'note', { type: DataTypes.TEXT });
  await refused(1265, () => query.changeColumn('Authors', 'note', { type: DataTypes.STRING(30), allowNull: false }));
  await query.bulkUpdate('Authors', { note: 'n' }, {});
  await query.changeColumn('Authors', 'note', { type: DataTypes.STRING(30), allowNull: false, defaultValue: 'x' });
  await query.renameColumn('Authors', 'note', 'remark');
  await query.addIndex('Authors', ['remark'], { name: 'by_remark' });
  await query.addConstraint('Authors', { fields: ['remark', 'id'], type: 'unique', name: 'one_remark' });
  await query.removeConstraint('Authors', 'one_remark');
  await query.removeIndex('Authors', 'by_remark');
  await query.removeColumn('Authors', 'remark');
  await db.sync({ alter: true });
  assert.equal(await Author.count(), 3);
}

async function errors(db, { Author, Book }) {
  await assert.rejects(Author.create({ name: 'Ann' }), UniqueConstraintError);
  await assert.rejects(Book.create({ title: 'x', AuthorId: 999 }), ForeignKeyConstraintError);
  const [one, other] = [await Author.findByPk(1), await Author.findByPk(1)];
  await one.update({ score: 2 });
  await assert.rejects(other.update({ score: 3 }), OptimisticLockError);
  await refused(1146, () => db.query('SELECT * FROM nothing'));
}

run(async () => {
  const db = await create();
  const all = models(db);
  await db.sync();
  await write(db, all);
  await read(db, all);
  await introspect(db, all);
  await errors(db, all);
  await survive(() => all.Author.count(), 3);
});
