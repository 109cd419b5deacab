// Go's go-sql-driver/mysql through database/sql: TLS, text and prepared statements, values, transactions, errors, a failover.
// usage: client_go PORT
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

func fail(format string, values ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func check(is, want interface{}, what string) {
	if !reflect.DeepEqual(is, want) {
		fail("%s: %#v, not %#v", what, is, want)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func refused(number uint16, err error) {
	var from *mysql.MySQLError
	if !errors.As(err, &from) || from.Number != number {
		fail("%v, not %d", err, number)
	}
}

func execute(db *sql.DB, text string, arguments ...interface{}) sql.Result {
	result, err := db.Exec(text, arguments...)
	if err != nil {
		fail("%s: %v", text, err)
	}
	return result
}

func open(port, database, options string) *sql.DB {
	db, err := sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%s)/%s?tls=skip-verify&parseTime=true&loc=UTC&%s", port, database, options))
	must(err)
	return db
}

type row struct {
	id   int64
	u    uint64
	d    float64
	n    string
	s    sql.NullString
	b    []byte
	at   time.Time
	da   time.Time
	ti   string
	y    int
	z    int
	none sql.NullInt64
}

func scan(r *sql.Row) (row, error) {
	var v row
	err := r.Scan(&v.id, &v.u, &v.d, &v.n, &v.s, &v.b, &v.at, &v.da, &v.ti, &v.y, &v.z, &v.none)
	return v, err
}

func values(db *sql.DB) {
	execute(db, "CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, u BIGINT UNSIGNED, d DOUBLE, n DECIMAL(8,3), s VARCHAR(40) UNIQUE, b BLOB, at DATETIME(6), da DATE, ti TIME(3), y YEAR, z INT(6) ZEROFILL, none INT)")
	want := row{1, 1<<64 - 1, 0.1, "1.250", sql.NullString{String: "Zoë 😀'\\", Valid: true}, []byte{0, 255, 39}, time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC),
		time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC), "-700:00:00.500", 2024, 42, sql.NullInt64{}}
	result := execute(db, "INSERT INTO v (u, d, n, s, b, at, da, ti, y, z, none) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		want.u, want.d, want.n, want.s, want.b, want.at, want.da, want.ti, want.y, want.z, nil)
	id, _ := result.LastInsertId()
	affected, _ := result.RowsAffected()
	check([]int64{id, affected}, []int64{1, 1}, "insert")
	text, err := scan(db.QueryRow("SELECT * FROM v"))
	must(err)
	check(text, want, "text row")
	binary, err := scan(db.QueryRow("SELECT * FROM v WHERE id = ?", 1))
	must(err)
	check(binary, want, "binary row")
	rows, err := db.Query("SELECT id, u, n, s, b FROM v WHERE id > ?", 0)
	must(err)
	kinds, err := rows.ColumnTypes()
	must(err)
	var names []string
	for _, kind := range kinds {
		names = append(names, kind.DatabaseTypeName())
	}
	check(names, []string{"INT", "BIGINT", "DECIMAL", "VARCHAR", "BLOB"}, "types")
	precision, scale, _ := kinds[2].DecimalSize()
	check([]int64{precision, scale}, []int64{8, 3}, "decimal size")
	must(rows.Close())
}

func transactions(db *sql.DB) {
	ctx := context.Background()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	must(err)
	insert, err := tx.Prepare("INSERT INTO v (s) VALUES (?)")
	must(err)
	for i := 0; i < 100; i++ {
		_, err = insert.Exec(fmt.Sprintf("n%d", i))
		must(err)
	}
	var n int
	must(db.QueryRow("SELECT COUNT(*) FROM v").Scan(&n))
	check(n, 1, "rows of another's open transaction")
	must(tx.Commit())
	tx, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	must(err)
	_, err = tx.Exec("DELETE FROM v")
	refused(1792, err)
	must(tx.Rollback())
	tx, err = db.Begin()
	must(err)
	_, err = tx.Exec("DELETE FROM v WHERE id > ?", 1)
	must(err)
	must(tx.Rollback())
	must(db.QueryRow("SELECT COUNT(*) FROM v").Scan(&n))
	check(n, 101, "rows")
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err = db.ExecContext(short, "SELECT SLEEP(20)"); err == nil || time.Since(began) > 10*time.Second {
		fail("a cancelled statement went on: %v", err)
	}
	var page string
	must(db.QueryRow("SELECT GROUP_CONCAT(id) FROM (SELECT id FROM v ORDER BY id LIMIT ? OFFSET ?) x", 2, 1).Scan(&page))
	check(page, "2,3", "page")
}

func multiple(db *sql.DB) {
	rows, err := db.Query("SELECT 1; SELECT s FROM v WHERE id = 1")
	must(err)
	var values []string
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			var value string
			must(rows.Scan(&value))
			values = append(values, value)
		}
	}
	must(rows.Err())
	check(values, []string{"1", "Zoë 😀'\\"}, "results")
	big := bytes.Repeat([]byte("x"), 20000000)
	var n int
	must(db.QueryRow("SELECT LENGTH(?)", big).Scan(&n))
	check(n, len(big), "a value of several packets")
}

func errors_(db *sql.DB, port string) {
	_, err := db.Exec("INSERT INTO v (s) VALUES (?)", "n1")
	refused(1062, err)
	_, err = db.Query("SELECT * FROM nothing")
	refused(1146, err)
	_, err = db.Prepare("SELEC 1")
	refused(1064, err)
	refused(1049, open(port, "nothing", "").Ping())
}

func survive(db *sql.DB) {
	command := os.Getenv("FAILOVER")
	if command == "" {
		return
	}
	if output, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		fail("%s: %s", command, output)
	}
	var n int
	var err error
	// The pool finds its connections dead one by one.
	for attempt := 0; attempt < 10; attempt++ {
		if err = db.QueryRow("SELECT COUNT(*) FROM v WHERE id > ?", 0).Scan(&n); err == nil {
			break
		}
	}
	must(err)
	check(n, 101, "rows after the failover")
	execute(db, "INSERT INTO v (s) VALUES (?)", "after")
}

func main() {
	port := os.Args[1]
	admin := open(port, "", "")
	var name, cipher string
	must(admin.QueryRow("SHOW STATUS LIKE 'Ssl_version'").Scan(&name, &cipher))
	check(strings.HasPrefix(cipher, "TLS"), true, "TLS")
	execute(admin, "DROP DATABASE IF EXISTS golang")
	execute(admin, "CREATE DATABASE golang")
	db := open(port, "golang", "multiStatements=true&clientFoundRows=true&maxAllowedPacket=0&sql_mode=%27STRICT_ALL_TABLES%27")
	values(db)
	transactions(db)
	multiple(db)
	errors_(db, port)
	interpolated := open(port, "golang", "interpolateParams=true&collation=utf8mb4_unicode_ci&charset=utf8mb4")
	var s string
	must(interpolated.QueryRow("SELECT s FROM v WHERE s = ? AND b = ?", "Zoë 😀'\\", []byte{0, 255, 39}).Scan(&s))
	check(s, "Zoë 😀'\\", "interpolated")
	survive(db)
}
