// Drizzle: migrations from files, relational queries (lateral-free mode), transactions with savepoints, prepared statements, a failover.
// usage: client_drizzle.js PORT
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { assert, server, tls, refused, survive, run } = require('./common.js');
const mysql = require('mysql2/promise');
const { drizzle } = require('drizzle-orm/mysql2');
const { migrate } = require('drizzle-orm/mysql2/migrator');
const { relations, sql, eq, gt, and, desc, count, sum, inArray, exists } = require('drizzle-orm');
const { mysqlTable, serial, int, bigint, varchar, text, decimal, datetime, timestamp, json, boolean, mysqlEnum, customType } = require('drizzle-orm/mysql-core');

const bytes = customType({ dataType: () => 'varbinary(16)' });
const users = mysqlTable('users', {
  id: serial('id').primaryKey(),
  name: varchar('name', { length: 60 }).notNull().unique(),
  level: mysqlEnum('level', ['new', 'known']).default('new'),
  score: decimal('score', { precision: 8, scale: 2 }).notNull().default('0.00'),
  settings: json('settings'),
  active: boolean('active').default(true),
  made: timestamp('made').defaultNow().onUpdateNow(),
});
const posts = mysqlTable('posts', {
  id: int('id').autoincrement().primaryKey(),
  author: bigint('author', { mode: 'number', unsigned: true }).notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: varchar('title', { length: 100 }).notNull(),
  body: text('body'),
  at: datetime('at', { fsp: 3 }),
  raw: bytes('raw'),
});
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations = relations(posts, ({ one }) => ({ user: one(users, { fields: [posts.author], references: [users.id] }) }));
const schema = { users, posts, usersRelations, postsRelations };

// The two migrations as drizzle-kit writes them.
const MIGRATIONS = [
  ['0000_make', `CREATE TABLE \`users\` (
	\`id\` serial AUTO_INCREMENT NOT NULL,
	\`name\` varchar(60) NOT NULL,
	\`level\` enum('new','known') DEFAULT 'new',
	\`score\` decimal(8,2) NOT NULL DEFAULT '0.00',
	\`settings\` json,
	\`active\` boolean DEFAULT true,
	\`made\` timestamp DEFAULT (now()) ON UPDATE CURRENT_TIMESTAMP,
	CONSTRAINT \`users_id\` PRIMARY KEY(\`id\`),
	CONSTRAINT \`users_name_unique\` UNIQUE(\`name\`)
);
--> statement-breakpoint
CREATE TABLE \`posts\` (
	\`id\` int AUTO_INCREMENT NOT NULL,
	\`author\` bigint unsigned NOT NULL,
	\`title\` varchar(100) NOT NULL,
	\`body\` text,
	\`at\` datetime(3),
	CONSTRAINT \`posts_id\` PRIMARY KEY(\`id\`)
);
--> statement-breakpoint
ALTER TABLE \`posts\` ADD CONSTRAINT \`posts_author_users_id_fk\` FOREIGN KEY (\`author\`) REFERENCES \`users\`(\`id\`) ON DELETE cascade ON UPDATE no action;`],
  ['0001_change', `ALTER TABLE \`posts\` ADD \`raw\` varbinary(16);
--> statement-breakpoint
CREATE INDEX \`by_title\` ON \`posts\` (\`title\`);`],
];

async function migrateFromFiles(db) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drizzle-'));
  try {
    fs.mkdirSync(path.join(folder, 'meta'));
    const entries = MIGRATIONS.map(([tag], idx) => ({ idx, version: '5', when: 1700000000000 + idx, tag, breakpoints: true }));
    fs.writeFileSync(path.join(folder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'mysql', entries }));
    for (const [tag, text_] of MIGRATIONS) fs.writeFileSync(path.join(folder, `${tag}.sql`), text_);
    await migrate(db, { migrationsFolder: folder });
    await migrate(db, { migrationsFolder: folder });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  const [[done]] = await db.execute('SELECT COUNT(*) AS n FROM __drizzle_migrations');
  assert.equal(done.n, 2);
}

async function write(db) {
  const made = await db.insert(users).values([{ name: 'Ann', score: '1.50', settings: { a: [1, 'x'] } }, { name: 'Bob' }, { name: 'Zoë 😀', level: 'known' }]).$returningId();
  assert.deepEqual(made, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  await db.insert(users).values({ name: 'Bob', score: '7' }).onDuplicateKeyUpdate({ set: { score: sql`values(score) + 2` } });
  await db.insert(users).ignore().values({ name: 'Ann' });
  await db.insert(posts).values([{ author: 1, title: 'One', at: new Date('2024-02-29T01:02:03.004Z'), raw: Buffer.from([0, 255]) }, { author: 1, title: 'Two' }, { author: 2, title: 'Three' }]);
  await assert.rejects(db.transaction(async (tx) => {
    await tx.delete(users);
    tx.rollback();
  }));
  await db.transaction(async (tx) => {
    const [locked] = await tx.select().from(users).where(eq(users.name, 'Bob')).for('update', { skipLocked: true });
    await tx.update(users).set({ level: 'known' }).where(eq(users.id, locked.id));
    await assert.rejects(tx.transaction(async (inner) => {
      await inner.delete(posts);
      inner.rollback();
    }));
  }, { isolationLevel: 'read committed', accessMode: 'read write', withConsistentSnapshot: false });
}

async function read(db) {
  const all = await db.query.users.findMany({ columns: { name: true, score: true, level: true }, with: { posts: { columns: { title: true }, orderBy: posts.title } }, orderBy: users.name });
  assert.deepEqual(all, [{ name: 'Ann', score: '1.50', level: 'new', posts: [{ title: 'One' }, { title: 'Two' }] },
    { name: 'Bob', score: '9.00', level: 'known', posts: [{ title: 'Three' }] }, { name: 'Zoë 😀', score: '0.00', level: 'known', posts: [] }]);
  const one = await db.query.posts.findFirst({ where: eq(posts.title, 'One'), with: { user: true } });
  assert.deepEqual([one.user.name, one.user.settings, one.user.active, one.at], ['Ann', { a: [1, 'x'] }, true, new Date('2024-02-29T01:02:03.004Z')]);
  const grouped = await db.select({ name: users.name, n: count(posts.id), s: sum(posts.id) }).from(users).leftJoin(posts, eq(posts.author, users.id))
    .groupBy(users.id).having(({ n }) => gt(n, 0)).orderBy(desc(users.name));
  assert.deepEqual(grouped, [{ name: 'Bob', n: 1, s: '3' }, { name: 'Ann', n: 2, s: '3' }]);
  const sub = db.select({ author: posts.author, n: count().as('n') }).from(posts).groupBy(posts.author).as('sub');
  assert.deepEqual(await db.select({ name: users.name, n: sub.n }).from(users).innerJoin(sub, eq(sub.author, users.id)).where(gt(sub.n, 1)), [{ name: 'Ann', n: 2 }]);
  const with_ = db.$with('some').as(db.select().from(users).where(inArray(users.id, [1, 2])));
  assert.equal((await db.with(with_).select().from(with_).where(exists(db.select().from(posts).where(eq(posts.author, with_.id))))).length, 2);
  const prepared = db.select().from(posts).where(and(eq(posts.author, sql.placeholder('a')), gt(posts.id, sql.placeholder('i')))).prepare();
  assert.deepEqual((await prepared.execute({ a: 1, i: 1 })).map((p) => p.title), ['Two']);
  assert.equal(await db.$count(users, eq(users.level, 'known')), 2);
  const union = await db.select({ name: users.name }).from(users).where(eq(users.id, 1)).union(db.select({ name: posts.title }).from(posts).where(eq(posts.id, 3))).orderBy(sql`name`);
  assert.deepEqual(union, [{ name: 'Ann' }, { name: 'Three' }]);
}

run(async () => {
  const options = { ...server, ssl: tls, timezone: 'Z' };
  const admin = await mysql.createConnection(options);
  await admin.query('DROP DATABASE IF EXISTS node_drizzle');
  await admin.query('CREATE DATABASE node_drizzle');
  await admin.end();
  const pool = mysql.createPool({ ...options, database: 'node_drizzle', connectionLimit: 4 });
  const db = drizzle(pool, { schema, mode: process.env.DRIZZLE_MODE || 'planetscale' });
  await migrateFromFiles(db);
  await write(db);
  await read(db);
  await refused(1062, () => db.insert(users).values({ name: 'Ann' }));
  await refused(1452, () => db.insert(posts).values({ author: 99, title: 'x' }));
  await survive(async () => (await db.select({ name: users.name }).from(users).orderBy(users.id)).map((u) => u.name), ['Ann', 'Bob', 'Zoë 😀']);
});
