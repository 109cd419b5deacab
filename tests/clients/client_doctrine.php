<?php
// Doctrine: DBAL's schema manager and comparator, query builder and transactions; ORM entities with relations, locking; a failover.
// usage: client_doctrine.php PORT
error_reporting(E_ALL & ~E_DEPRECATED);
require_once 'Doctrine/DBAL/autoload.php';
require_once 'Doctrine/ORM/autoload.php';

use Doctrine\Common\Collections\ArrayCollection;
use Doctrine\DBAL\DriverManager;
use Doctrine\DBAL\Exception\DriverException;
use Doctrine\DBAL\LockMode;
use Doctrine\DBAL\Schema\Table;
use Doctrine\DBAL\TransactionIsolationLevel;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping as ORM;
use Doctrine\ORM\OptimisticLockException;
use Doctrine\ORM\Tools\SchemaTool;

$port = (int)$argv[1];

function check($is, $want, string $what): void {
    if ($is !== $want) {
        fwrite(STDERR, "$what: " . var_export($is, true) . ', not ' . var_export($want, true) . "\n");
        exit(1);
    }
}

function refused(int $number, callable $action): void {
    try {
        $action();
    } catch (DriverException $error) {
        check($error->getCode(), $number, $error->getMessage());
        return;
    }
    check('no error', $number, 'refused');
}

#[ORM\Entity]
#[ORM\Table(name: 'authors')]
class Author {
    #[ORM\Id, ORM\Column(options: ['unsigned' => true]), ORM\GeneratedValue]
    public ?int $id = null;
    #[ORM\Column(length: 60, unique: true)]
    public string $name;
    #[ORM\Column(type: 'decimal', precision: 8, scale: 2, options: ['default' => '0.00', 'comment' => "the 'score'"])]
    public string $score = '0.00';
    #[ORM\Column(type: 'json', nullable: true)]
    public ?array $settings = null;
    #[ORM\Column]
    public bool $active = true;
    #[ORM\Column(type: 'datetime_immutable', nullable: true)]
    public ?DateTimeImmutable $at = null;
    #[ORM\Version, ORM\Column(type: 'integer')]
    public int $version = 1;
    #[ORM\OneToMany(targetEntity: Book::class, mappedBy: 'author', cascade: ['persist', 'remove'])]
    public $books;

    public function __construct(string $name) {
        $this->name = $name;
        $this->books = new ArrayCollection();
    }

    public function write(string $title): Book {
        $this->books->add($book = new Book($this, $title));
        return $book;
    }
}

#[ORM\Entity]
#[ORM\Table(name: 'books')]
#[ORM\Index(name: 'by_title', columns: ['title'])]
class Book {
    #[ORM\Id, ORM\Column(type: 'guid')]
    public string $id;
    #[ORM\ManyToOne(inversedBy: 'books'), ORM\JoinColumn(nullable: false, onDelete: 'CASCADE')]
    public Author $author;
    #[ORM\Column]
    public string $title;
    #[ORM\Column(type: 'blob', nullable: true)]
    public $cover = null;
    #[ORM\ManyToMany(targetEntity: Tag::class, cascade: ['persist'])]
    #[ORM\JoinTable(name: 'book_tags'), ORM\InverseJoinColumn(name: 'word', referencedColumnName: 'word')]
    public $tags;

    public function __construct(Author $author, string $title) {
        $this->id = bin2hex(random_bytes(16));
        $this->author = $author;
        $this->title = $title;
        $this->tags = new ArrayCollection();
    }
}

#[ORM\Entity]
#[ORM\Table(name: 'tags')]
class Tag {
    public function __construct(#[ORM\Id, ORM\Column(length: 20)] public string $word) {}
}

function check_dbal($db): void {
    $schema = $db->createSchemaManager();
    $table = new Table('things');
    $table->addColumn('id', 'integer', ['autoincrement' => true, 'unsigned' => true]);
    $table->addColumn('name', 'string', ['length' => 40, 'notnull' => true, 'default' => "it's", 'comment' => 'a name']);
    $table->addColumn('n', 'decimal', ['precision' => 10, 'scale' => 3, 'notnull' => false]);
    $table->addColumn('body', 'text', ['notnull' => false]);
    $table->addColumn('at', 'datetime', ['default' => 'CURRENT_TIMESTAMP']);
    $table->setPrimaryKey(['id']);
    $table->addOption('charset', 'utf8mb4');
    $table->addOption('collation', 'utf8mb4_unicode_ci');
    $table->addUniqueIndex(['name'], 'one_name');
    $schema->createTable($table);
    // What is read back is what was made: nothing to change.
    $comparator = $schema->createComparator();
    check($comparator->compareTables($schema->introspectTable('things'), $table)->isEmpty(), true, 'a difference from the table made');
    $changed = clone $table;
    $changed->addColumn('extra', 'bigint', ['notnull' => false]);
    $changed->changeColumn('name', ['length' => 80]);
    $changed->addIndex(['n', 'name'], 'by_n', [], ['lengths' => [null, 10]]);
    $schema->alterTable($comparator->compareTables($schema->introspectTable('things'), $changed));
    check($comparator->compareTables($schema->introspectTable('things'), $changed)->isEmpty(), true, 'a difference from the table changed');
    check($schema->listTableNames(), ['things'], 'tables');
    $schema->createView(new Doctrine\DBAL\Schema\View('names', 'SELECT name FROM things'));
    check(count($schema->listViews()), 1, 'views');

    $db->insert('things', ['name' => 'Zoë 😀', 'n' => '1.250']);
    check((int)$db->lastInsertId(), 1, 'last id');
    $db->setTransactionIsolation(TransactionIsolationLevel::READ_COMMITTED);
    $db->setNestTransactionsWithSavepoints(true);
    $db->transactional(function ($db) {
        $db->executeStatement('INSERT INTO things (name, n) VALUES (?, ?), (?, ?)', ['a', 1, 'b', 2]);
        $db->beginTransaction();
        $db->executeStatement('DELETE FROM things');
        $db->rollBack();
    });
    check((int)$db->fetchOne('SELECT COUNT(*) FROM things'), 3, 'rows');
    $rows = $db->createQueryBuilder()->select('t.name', 'SUM(t.n) AS total')->from('things', 't')->where('t.name IN (:names)')
        ->setParameter('names', ['a', 'b'], Doctrine\DBAL\Connection::PARAM_STR_ARRAY)->groupBy('t.name')->orderBy('t.name')->setMaxResults(5)->fetchAllAssociative();
    check($rows, [['name' => 'a', 'total' => '1.000'], ['name' => 'b', 'total' => '2.000']], 'grouped rows');
    $page = $db->executeQuery('SELECT id FROM things ORDER BY id LIMIT ? OFFSET ?', [1, 1], [PDO::PARAM_INT, PDO::PARAM_INT])->fetchFirstColumn();
    check(array_map('intval', $page), [2], 'page');
    refused(1062, fn() => $db->insert('things', ['name' => 'a']));
    refused(1146, fn() => $db->executeQuery('SELECT * FROM nothing'));
    $db->executeStatement('DROP VIEW names');
    $schema->dropTable('things');
}

function write_entities(EntityManager $manager): void {
    $ann = new Author('Ann');
    $ann->score = '1.50';
    $ann->settings = ['a' => [1, 'x']];
    $ann->at = new DateTimeImmutable('2024-02-29 01:02:03');
    $one = $ann->write('One');
    $one->cover = "\0\xFF";
    $one->tags->add(new Tag('sea'));
    $ann->write('Two');
    foreach ([$ann, new Author('Bob'), new Author('Zoë 😀')] as $author) {
        $manager->persist($author);
    }
    $manager->flush();
    check([$ann->id, $ann->version], [1, 1], 'id and version');
    $manager->wrapInTransaction(function ($manager) {
        $bob = $manager->find(Author::class, 2, LockMode::PESSIMISTIC_WRITE);
        $bob->score = '9.00';
    });
    $manager->getConnection()->executeStatement('UPDATE authors SET version = version + 1 WHERE id = 1');
    $ann->active = false;
    try {
        $manager->flush();
        check('no error', 'OptimisticLockException', 'a stale entity');
    } catch (OptimisticLockException $error) {
    }
}

function read_entities(EntityManager $manager): void {
    $all = $manager->createQuery('SELECT a, b, t FROM Author a LEFT JOIN a.books b LEFT JOIN b.tags t ORDER BY a.name, b.title')->getResult();
    check(array_map(fn($a) => [$a->name, $a->score, $a->books->map(fn($b) => [$b->title, count($b->tags)])->toArray()], $all),
          [['Ann', '1.50', [['One', 1], ['Two', 0]]], ['Bob', '9.00', []], ['Zoë 😀', '0.00', []]], 'all');
    check([$all[0]->settings, $all[0]->at->format('c'), stream_get_contents($all[0]->books[0]->cover)],
          [['a' => [1, 'x']], (new DateTimeImmutable('2024-02-29 01:02:03'))->format('c'), "\0\xFF"], 'values');
    $paginator = new Doctrine\ORM\Tools\Pagination\Paginator(
        $manager->createQuery('SELECT a, b FROM Author a LEFT JOIN a.books b ORDER BY a.name')->setFirstResult(0)->setMaxResults(2));
    check([count($paginator), count(iterator_to_array($paginator))], [3, 2], 'a page');
    $counts = $manager->createQuery('SELECT a.name, COUNT(b.id) AS n FROM Author a JOIN a.books b GROUP BY a.id HAVING COUNT(b.id) > 1')->getArrayResult();
    check($counts, [['name' => 'Ann', 'n' => 2]], 'counts');
    check($manager->createQuery("UPDATE Author a SET a.active = false WHERE a.name LIKE 'B%'")->execute(), 1, 'rows updated');
}

$parameters = ['driver' => 'pdo_mysql', 'host' => '127.0.0.1', 'port' => $port, 'user' => 'root', 'password' => '', 'charset' => 'utf8mb4', 'defaultTableOptions' => ['charset' => 'utf8mb4', 'collation' => 'utf8mb4_unicode_ci'],
               'driverOptions' => [PDO::MYSQL_ATTR_SSL_CA => '', PDO::MYSQL_ATTR_SSL_CIPHER => 'HIGH', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false]];
$admin = DriverManager::getConnection($parameters);
check(str_starts_with($admin->fetchAllKeyValue("SHOW STATUS LIKE 'Ssl_version'")['Ssl_version'], 'TLS'), true, 'TLS');
foreach (['doctrine', 'doctrine_orm'] as $name) {
    $admin->executeStatement("DROP DATABASE IF EXISTS $name");
    $admin->createSchemaManager()->createDatabase($name);
}
check_dbal(DriverManager::getConnection(['dbname' => 'doctrine'] + $parameters));

$configuration = new Doctrine\ORM\Configuration();
$configuration->setProxyDir(sys_get_temp_dir());
$configuration->setProxyNamespace('Proxies');
$configuration->setAutoGenerateProxyClasses(Doctrine\ORM\Proxy\ProxyFactory::AUTOGENERATE_EVAL);
$configuration->setMetadataDriverImpl(new Doctrine\ORM\Mapping\Driver\AttributeDriver([], true));
$open = fn() => new EntityManager(DriverManager::getConnection(['dbname' => 'doctrine_orm'] + $parameters), $configuration);
$manager = $open();
$kinds = array_map(fn($kind) => $manager->getClassMetadata($kind), [Author::class, Book::class, Tag::class]);
$tool = new SchemaTool($manager);
$tool->createSchema($kinds);
check($tool->getUpdateSchemaSql($kinds, true), [], 'changes left');
write_entities($manager);
$manager = $open();
read_entities($manager);
refused(1452, fn() => $manager->getConnection()->insert('books', ['id' => 'x', 'author_id' => 99, 'title' => 'x']));
if (getenv('FAILOVER')) {
    exec(getenv('FAILOVER'), $output, $code);
    check($code, 0, 'failover');
    try {
        $manager->getConnection()->fetchOne('SELECT 1');
        check('no error', 'connection lost', 'after the failover');
    } catch (Doctrine\DBAL\Exception $error) {
    }
    $manager->getConnection()->close();
    check(array_map('intval', $manager->getConnection()->fetchFirstColumn('SELECT id FROM authors ORDER BY id')), [1, 2, 3], 'rows after the failover');
}
