<?php
// PHP's mysqli and PDO (mysqlnd): buffered and unbuffered results, native and emulated prepared statements, transactions, errors.
// usage: client_php.php PORT
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$port = (int)$argv[1];

function check($is, $want, string $what): void {
    if ($is !== $want) {
        fwrite(STDERR, "$what: " . var_export($is, true) . ', not ' . var_export($want, true) . "\n");
        exit(1);
    }
}

function number_of($error): int {
    return (int)($error instanceof PDOException ? $error->errorInfo[1] : $error->getCode());
}

function expect_error(int $number, callable $action): void {
    try {
        $action();
    } catch (Exception $error) {
        check(number_of($error), $number, 'error');
        return;
    }
    check('no error', $number, 'error');
}

$db = new mysqli('127.0.0.1', 'root', '', '', $port);
$db->set_charset('utf8mb4');
$db->query('DROP DATABASE IF EXISTS php');
$db->query('CREATE DATABASE php');
$db->select_db('php');
$db->query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) UNIQUE, n BIGINT UNSIGNED, d DOUBLE, at DATETIME, b MEDIUMBLOB)');
$insert = $db->prepare('INSERT INTO t (name, n, d, at, b) VALUES (?, ?, ?, ?, ?)');
[$name, $n, $d, $at, $b] = ['Zoë 😀', '18446744073709551615', 0.5, '2024-02-29 01:02:03', null];
$insert->bind_param('ssdsb', $name, $n, $d, $at, $b);
$insert->send_long_data(4, str_repeat("\0x", 50000));
$insert->send_long_data(4, 'end');
$insert->execute();
check($insert->affected_rows, 1, 'affected_rows');
check($db->insert_id, 1, 'insert_id');
$select = $db->prepare('SELECT id, name, n, d, at, LENGTH(b) AS size FROM t WHERE id = ?');
$id = 1;
$select->bind_param('i', $id);
$select->execute();
check($select->get_result()->fetch_assoc(),
      ['id' => 1, 'name' => 'Zoë 😀', 'n' => '18446744073709551615', 'd' => 0.5, 'at' => '2024-02-29 01:02:03', 'size' => 100003], 'row');
expect_error(1062, fn() => $db->query("INSERT INTO t (name) VALUES ('Zoë 😀')"));
expect_error(1146, fn() => $db->query('SELECT * FROM nothing'));
expect_error(1064, fn() => $db->query('SELEC 1'));
$db->begin_transaction();
$db->query('UPDATE t SET d = 9');
$db->rollback();
check($db->query('SELECT d FROM t')->fetch_row(), ['0.5'], 'after rollback');
$db->multi_query("SELECT 1 AS a; INSERT INTO t (name) VALUES ('multi'); SELECT COUNT(*) AS c FROM t");
$seen = [];
do {
    if ($result = $db->store_result()) {
        $seen[] = $result->fetch_row()[0];
    }
} while ($db->more_results() && $db->next_result());
check($seen, ['1', '2'], 'multi_query');
$field = $db->query('SELECT name FROM t')->fetch_field();
check([$field->orgtable, $field->orgname, $field->db], ["t", "name", "php"], "field");
$unbuffered = $db->query('SELECT * FROM t', MYSQLI_USE_RESULT);
check(count($unbuffered->fetch_all()), 2, 'unbuffered rows');
$unbuffered->free();
check($db->ping(), true, 'ping');
check($db->stat() !== false, true, 'stat');
check($db->change_user('root', '', 'php'), true, 'change_user');

// mysqlnd compresses whether the server has offered it or not.
$compressed = mysqli_init();
$compressed->real_connect('127.0.0.1', 'root', '', 'php', $port, null, MYSQLI_CLIENT_COMPRESS);
foreach (['x', str_repeat('y', 100), random_bytes(3000000), str_repeat('z', 3000000)] as $text) {
    $echo = $compressed->prepare('SELECT ?, LENGTH(?)');
    $echo->execute([$text, $text]);
    check($echo->get_result()->fetch_row() === [$text, strlen($text)], true, 'compressed parameters');
}
$numbers = 'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT a.i, MD5(a.i) FROM n a, n b LIMIT 20000';
$rows = $compressed->query($numbers, MYSQLI_USE_RESULT);
$sum = 0;
while ($row = $rows->fetch_row()) {
    $sum += md5($row[0]) === $row[1] ? 1 : 0;
}
check($sum, 20000, 'compressed rows');
expect_error(1146, fn() => $compressed->query('SELECT * FROM nothing'));
check($compressed->change_user('root', '', 'php'), true, 'compressed change_user');
check($compressed->query('SELECT DATABASE()')->fetch_row(), ['php'], 'after change_user');
$compressed->close();

foreach ([true, false] as $emulate) {
    $pdo = new PDO("mysql:host=127.0.0.1;port=$port;dbname=php;charset=utf8mb4", 'root', '', [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulate, PDO::MYSQL_ATTR_FOUND_ROWS => true]);
    check(strpos($pdo->getAttribute(PDO::ATTR_SERVER_VERSION), '8.0.'), 0, 'version');
    $pdo->exec('DROP TABLE IF EXISTS p');
    $pdo->exec('CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) UNIQUE, n DECIMAL(6,2), ok TINYINT(1))');
    $insert = $pdo->prepare('INSERT INTO p (name, n, ok) VALUES (:name, :n, :ok)');
    $pdo->beginTransaction();
    for ($i = 0; $i < 20; ++$i) {
        $insert->execute(['name' => "n'$i\\", 'n' => $i / 4, 'ok' => $i % 2]);
    }
    check($pdo->lastInsertId(), '20', 'lastInsertId');
    $pdo->commit();
    $select = $pdo->prepare('SELECT name, n, ok FROM p WHERE n > ? ORDER BY id LIMIT ?');
    $select->bindValue(1, '2.5');
    $select->bindValue(2, 2, PDO::PARAM_INT);
    $select->execute();
    check($select->fetchAll(PDO::FETCH_ASSOC), [['name' => "n'11\\", 'n' => '2.75', 'ok' => 1], ['name' => "n'12\\", 'n' => '3.00', 'ok' => 0]], 'rows');
    $update = $pdo->prepare('UPDATE p SET ok = 1 WHERE ok = ?');
    $update->execute([1]);
    check($update->rowCount(), 10, 'matched rows');
    expect_error(1062, fn() => $insert->execute(['name' => "n'1\\", 'n' => 1, 'ok' => 1]));
    $column = $pdo->query('SELECT n FROM p LIMIT 1')->getColumnMeta(0);
    check([$column['native_type'], $column['table'], $column['len'], $column['precision']], ['NEWDECIMAL', 'p', 8, 2], 'column');
}
