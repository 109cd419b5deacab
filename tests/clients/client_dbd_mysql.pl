#!/usr/bin/perl
# Perl's DBI with DBD::mysql: statements prepared by the client and by the server, transactions, metadata. usage: client_dbd_mysql.pl PORT
use strict;
use warnings;
use utf8;
use DBI;

my $port = shift or die "usage: $0 PORT";

sub check {
    my ($is, $want, $what) = @_;
    $is = 'undef' unless defined $is;
    die "$what: $is, not $want\n" unless $is eq $want;
}

for my $by_server (0, 1) {
    my $dbh = DBI->connect("DBI:mysql:host=127.0.0.1;port=$port;mysql_server_prepare=$by_server", 'root', '',
        { RaiseError => 1, PrintError => 0, AutoCommit => 1, mysql_enable_utf8mb4 => 1 });
    $dbh->do('DROP DATABASE IF EXISTS perl');
    $dbh->do('CREATE DATABASE perl');
    $dbh->do('USE perl');
    $dbh->do('CREATE TABLE t (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, big BIGINT, d DOUBLE, n DECIMAL(8,3), '
            . 'at DATETIME(6), b BLOB, UNIQUE KEY by_name (name))');
    my $insert = $dbh->prepare('INSERT INTO t (name, big, d, n, at, b) VALUES (?, ?, ?, ?, ?, ?)');
    check($insert->execute('Zoë 😀', '-9223372036854775808', 0.1, '1.250', '2024-02-29 01:02:03.000004', "\0\x01'\\"), 1, 'rows inserted');
    check($dbh->last_insert_id(undef, undef, 't', 'id'), 1, 'last_insert_id');
    check($insert->execute("n$_", $_, undef, undef, undef, undef), 1, 'rows inserted') for 1 .. 50;

    my $row = $dbh->selectrow_hashref('SELECT * FROM t WHERE name = ?', undef, 'Zoë 😀');
    check($row->{big}, '-9223372036854775808', 'big');
    check($row->{n}, '1.250', 'n');
    check($row->{at}, '2024-02-29 01:02:03.000004', 'at');
    check(sprintf('%vd', $row->{b}), '0.1.39.92', 'b');
    check(scalar @{ $dbh->selectall_arrayref('SELECT id FROM t WHERE big BETWEEN ? AND ? ORDER BY id', undef, 10, 19) }, 10, 'rows read');

    eval { $insert->execute('n1', undef, undef, undef, undef, undef) };
    check($dbh->err, 1062, 'error');
    check($dbh->state, '23000', 'SQLSTATE');
    eval { $dbh->do('SELECT * FROM nothing') };
    check($dbh->err, 1146, 'error');

    $dbh->begin_work;
    check($dbh->do("UPDATE t SET big = 0 WHERE id > 41"), 10, 'rows changed');
    $dbh->rollback;
    check(($dbh->selectrow_array('SELECT COUNT(*) FROM t WHERE big = 0'))[0], 0, 'after rollback');
    check($dbh->do("UPDATE t SET name = 'n1' WHERE name = 'n1'"), 1, 'rows matched');

    my $sth = $dbh->prepare('SELECT id, name, d FROM t LIMIT 1');
    $sth->execute;
    check(join(',', @{ $sth->{NAME} }), 'id,name,d', 'names');
    check(join(',', map { $_ ? 1 : 0 } @{ $sth->{mysql_is_pri_key} }), '1,0,0', 'primary key');
    check(join(',', map { $_ ? 1 : 0 } @{ $sth->{mysql_is_auto_increment} }), '1,0,0', 'auto_increment');
    check(join(',', map { $_ ? 1 : 0 } @{ $sth->{NULLABLE} }), '0,0,1', 'nullable');
    check(join(',', @{ $sth->{mysql_type_name} }), 'integer,varchar,double', 'types');
    $sth->finish;

    my @tables = map { $_->[2] } @{ $dbh->table_info(undef, 'perl', undef, 'TABLE')->fetchall_arrayref };
    check("@tables", 't', 'tables');
    check(join(',', $dbh->primary_key(undef, 'perl', 't')), 'id', 'primary key');
    check(scalar @{ $dbh->column_info(undef, 'perl', 't', '%')->fetchall_arrayref }, 7, 'columns');
    check($dbh->ping ? 1 : 0, 1, 'ping');
    $dbh->disconnect;
}
