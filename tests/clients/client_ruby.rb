#!/usr/bin/ruby
# Ruby's mysql2 by itself, then ActiveRecord: migrations, relations, transactions, locks, introspection, a failover. usage: client_ruby.rb PORT
require 'mysql2'
require 'active_record'

PORT = Integer(ARGV.fetch(0))
SERVER = { host: '127.0.0.1', port: PORT, username: 'root', encoding: 'utf8mb4', sslcipher: 'HIGH' }.freeze

def check(is, want, what)
  raise "#{what}: #{is.inspect}, not #{want.inspect}" unless is == want
end

def refused(number)
  yield
rescue Mysql2::Error => e
  check(e.error_number, number, e.message)
rescue ActiveRecord::ActiveRecordError => e
  check(e.cause.error_number, number, e.message)
else
  raise "not refused with #{number}"
end

def fail_over
  return false if ENV.fetch('FAILOVER', '').empty?

  system(ENV['FAILOVER'], out: File::NULL, exception: true)
end

def driver
  db = Mysql2::Client.new(SERVER)
  check(db.query("SHOW STATUS LIKE 'Ssl_version'").first['Value'].start_with?('TLS'), true, 'TLS')
  ['DROP DATABASE IF EXISTS ruby', 'CREATE DATABASE ruby', 'USE ruby'].each { |text| db.query(text) }
  db.query('CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, u BIGINT UNSIGNED, d DOUBLE, n DECIMAL(8,3), s VARCHAR(40) UNIQUE, b BLOB, da DATE, ' \
           'at DATETIME(6), ti TIME, y YEAR, ok TINYINT(1), z INT(5) ZEROFILL)')
  values = [2**64 - 1, 0.5, BigDecimal('1.25'), "Zoë 😀'\\", "\0\xFF".b, Date.new(1999, 12, 31), Time.local(2024, 2, 29, 1, 2, 3, 4), '12:30:00', 2024, true, 42]
  insert = db.prepare('INSERT INTO v (u, d, n, s, b, da, at, ti, y, ok, z) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  insert.execute(*values)
  check([insert.affected_rows, insert.last_id], [1, 1], 'insert')
  want = values.dup
  by_text = db.query('SELECT u, d, n, s, b, da, at, ti, y, ok, z FROM v', as: :array, cast_booleans: true).first
  by_binary = db.prepare('SELECT u, d, n, s, b, da, at, ti, y, ok, z FROM v WHERE id = ?').execute(1, as: :array, cast_booleans: true).first
  [by_text, by_binary].each do |row|
    check(row[7].strftime('%T'), '12:30:00', 'time')
    row[7] = want[7]
    row[4] = row[4].b
    check(row, want, 'row')
  end
  refused(1062) { db.query("INSERT INTO v (s) VALUES ('#{db.escape(values[3])}')") }
  refused(1146) { db.query('SELECT * FROM nothing') }
  refused(1064) { db.prepare('SELEC 1') }
  check(db.query('SELECT 1 AS a UNION SELECT 2', stream: true, cache_rows: false).map { |r| r['a'] }, [1, 2], 'stream')
  check(db.ping, true, 'ping')
  db.close
end

class Author < ActiveRecord::Base
  has_many :books, dependent: :destroy
  validates :name, presence: true
end

class Book < ActiveRecord::Base
  belongs_to :author, touch: true
  has_and_belongs_to_many :tags
end

class Tag < ActiveRecord::Base
  has_and_belongs_to_many :books
end

class MakeAll < ActiveRecord::Migration[6.1]
  def change
    create_table :authors do |t|
      t.string :name, limit: 60, null: false, index: { unique: true }
      t.decimal :score, precision: 8, scale: 2, default: 0, null: false, comment: "the 'score'"
      t.json :settings
      t.boolean :active, default: true
      t.integer :lock_version, default: 0
      t.timestamps precision: 6
    end
    create_table :books do |t|
      t.references :author, null: false, foreign_key: { on_delete: :cascade }
      t.string :title
      t.text :body, size: :medium
      t.binary :cover
      t.date :printed
      t.index %i[author_id title], name: 'by_author_title', length: { title: 20 }
      t.check_constraint "title <> ''", name: 'has_title'
    end
    create_table :tags do |t|
      t.string :word, limit: 20
    end
    create_join_table :books, :tags
  end
end

class Change < ActiveRecord::Migration[6.1]
  def up
    add_column :authors, :email, :string, after: :name
    change_column :authors, :email, :string, limit: 100, null: false, default: '-'
    add_index :authors, :email
    rename_column :authors, :email, :mail
    change_table(:tags, bulk: true) { |t| t.integer :rank, default: 3; t.index :word, unique: true }
  end

  def down
    remove_index :tags, :word
    remove_column :tags, :rank
    remove_column :authors, :mail
  end
end

def migrate
  ActiveRecord::Migration.verbose = false
  migrations = [[1, MakeAll], [2, Change]].map { |version, kind| ActiveRecord::MigrationProxy.new(kind.name, version, '', '').tap { |p| p.define_singleton_method(:migration) { kind.new(kind.name, version) } } }
  schema = ActiveRecord::SchemaMigration
  ActiveRecord::Migrator.new(:up, migrations, schema).migrate
  check(ActiveRecord::Base.connection.column_exists?(:authors, :mail), true, 'mail')
  ActiveRecord::Migrator.new(:down, migrations, schema, 1).migrate
  check(ActiveRecord::Base.connection.column_exists?(:authors, :mail), false, 'no mail')
  ActiveRecord::Migrator.new(:up, migrations, schema).migrate
  check(schema.all_versions, %w[1 2], 'versions')
  [Author, Book, Tag].each(&:reset_column_information)
end

def write
  ann = Author.create!(name: 'Ann', score: 1.5, settings: { 'a' => [1, 'x'] })
  sea = Tag.create!(word: 'sea')
  ann.books.create!([{ title: 'One', cover: "\0\xFF".b, printed: Date.new(2020, 2, 29), tags: [sea] }, { title: 'Two' }])
  Author.insert_all([{ name: 'Bob', created_at: Time.now, updated_at: Time.now }, { name: 'Zoë 😀', created_at: Time.now, updated_at: Time.now }])
  Author.upsert_all([{ name: 'Bob', score: 7, created_at: Time.now, updated_at: Time.now }])
  Author.transaction do
    Author.update_all(score: 99)
    Author.transaction(requires_new: true) { Book.delete_all; raise ActiveRecord::Rollback }
    check(Book.count, 2, 'after the savepoint')
    raise ActiveRecord::Rollback
  end
  Author.transaction(isolation: :read_committed) { Author.lock('FOR UPDATE SKIP LOCKED').find_by(name: 'Bob').increment!(:score, 2) }
  one, other = Author.find(ann.id), Author.find(ann.id)
  one.update!(active: false)
  begin
    other.update!(active: true, name: 'x')
    raise 'a stale object was written'
  rescue ActiveRecord::StaleObjectError
    check(Author.find(ann.id).name, 'Ann', 'name')
  end
end

def read
  all = Author.includes(books: :tags).order(:name).map { |a| [a.name, a.score, a.books.map { |b| [b.title, b.tags.map(&:word)] }] }
  check(all, [['Ann', BigDecimal('1.5'), [['One', ['sea']], ['Two', []]]], ['Bob', 9, []], ['Zoë 😀', 0, []]], 'all')
  check(Author.left_joins(:books).group(:name).order(:name).count('books.id'), { 'Ann' => 2, 'Bob' => 0, 'Zoë 😀' => 0 }, 'counts')
  check(Author.eager_load(:books).where(books: { title: 'One' }).limit(3).pluck(:name), ['Ann'], 'eager')
  check(Author.first.settings, { 'a' => [1, 'x'] }, 'settings')
  check(Book.first.cover, "\0\xFF".b, 'cover')
  check(Author.where("settings->>'$.a[1]' = ?", 'x').exists?, true, 'json')
  check(Author.limit(2).offset(1).order(:id).count, 2, 'a count of a subquery')
  check(Author.sum(:score), BigDecimal('10.5'), 'sum')
  check(Author.in_batches(of: 2).map(&:size), [2, 1], 'batches')
end

def introspect
  db = ActiveRecord::Base.connection
  check(db.tables.sort, %w[ar_internal_metadata authors books books_tags schema_migrations tags] & db.tables.sort, 'tables')
  check(db.columns(:authors).map { |c| [c.name, c.sql_type, c.null] }.first(5),
        [['id', 'bigint', false], ['name', 'varchar(60)', false], ['mail', 'varchar(100)', false], ['score', 'decimal(8,2)', false], ['settings', 'json', true]], 'columns')
  check(db.columns(:authors).find { |c| c.name == 'score' }.comment, "the 'score'", 'comment')
  check(db.indexes(:books).map { |i| [i.name, i.columns, i.unique, i.lengths] }.sort_by(&:first),
        [['by_author_title', %w[author_id title], false, { 'title' => 20 }], ['index_books_on_author_id', ['author_id'], false, {}]], 'indexes')
  check(db.foreign_keys(:books).map { |k| [k.to_table, k.column, k.primary_key, k.on_delete] }, [['authors', 'author_id', 'id', :cascade]], 'foreign keys')
  check(db.check_constraints(:books).map { |c| [c.name, c.expression] }, [['has_title', "`title` <> _utf8mb4\\'\\'"]], 'checks')
  check(db.primary_keys(:authors), ['id'], 'primary keys')
  dump = StringIO.new
  ActiveRecord::SchemaDumper.dump(db, dump)
  check(dump.string.scan(/create_table "(\w+)"/).flatten, %w[authors books books_tags tags], 'the dumped schema')
  check(db.get_advisory_lock('a'), true, 'lock')
  check(db.release_advisory_lock('a'), true, 'unlock')
end

driver
Mysql2::Client.new(SERVER).tap { |db| ['DROP DATABASE IF EXISTS rails', 'CREATE DATABASE rails'].each { |text| db.query(text) } }.close
ActiveRecord::Base.establish_connection(SERVER.merge(adapter: 'mysql2', database: 'rails', pool: 3))
migrate
write
read
introspect
refused(1062) { Author.create!(name: 'Ann') }
refused(1452) { Book.new(title: 'x', author_id: 99).save!(validate: false) }
refused(3819) { Author.first.books.create!(title: '') }
if fail_over
  ActiveRecord::Base.connection.reconnect!
  check(Author.order(:id).pluck(:name), ['Ann', 'Bob', 'Zoë 😀'], 'after the failover')
end
