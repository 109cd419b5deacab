// Java's MariaDB Connector/J: TLS, server-side and client-side prepared statements, batches, metadata, transactions, errors, a failover.
// usage: java -cp mariadb-java-client.jar ClientJava.java PORT
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

public class ClientJava {
    static void check(Object is, Object want, String what) {
        if (!Objects.deepEquals(is, want)) throw new AssertionError(what + ": " + is + ", not " + want);
    }

    interface Action { void run() throws SQLException; }

    static void refused(int number, String state, Action action) {
        try {
            action.run();
        } catch (SQLException error) {
            check(error.getErrorCode(), number, error.getMessage());
            if (state != null) check(error.getSQLState(), state, "SQLSTATE");
            return;
        }
        throw new AssertionError("not refused with " + number);
    }

    static Connection open(String port, String database, String options) throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/" + database + "?user=root&useSsl=true&trustServerCertificate=true" + options);
    }

    static String one(Connection db, String text) throws SQLException {
        try (Statement statement = db.createStatement(); ResultSet rows = statement.executeQuery(text)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static void values(Connection db) throws SQLException {
        try (Statement statement = db.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS v");
            statement.execute("CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, big BIGINT, d DOUBLE, n DECIMAL(8,3), s VARCHAR(40) UNIQUE, b BLOB, at DATETIME(6), "
                + "da DATE, y YEAR, z INT(6) ZEROFILL, ok TINYINT(1), none INT)");
        }
        byte[] bytes = {0, -1, 39, 92};
        Timestamp at = Timestamp.valueOf("2024-02-29 01:02:03.000004");
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO v (big, d, n, s, b, at, da, y, z, ok, none) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", Statement.RETURN_GENERATED_KEYS)) {
            insert.setLong(1, Long.MIN_VALUE);
            insert.setDouble(2, 0.1);
            insert.setBigDecimal(3, new BigDecimal("1.250"));
            insert.setString(4, "Zoë 😀'\\");
            insert.setBytes(5, bytes);
            insert.setTimestamp(6, at);
            insert.setDate(7, java.sql.Date.valueOf("1999-12-31"));
            insert.setInt(8, 2024);
            insert.setInt(9, 42);
            insert.setBoolean(10, true);
            insert.setNull(11, Types.INTEGER);
            check(insert.executeUpdate(), 1, "inserted");
            try (ResultSet keys = insert.getGeneratedKeys()) {
                keys.next();
                check(keys.getInt(1), 1, "generated key");
            }
        }
        try (PreparedStatement select = db.prepareStatement("SELECT * FROM v WHERE id = ?")) {
            select.setInt(1, 1);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                check(row.getLong("big"), Long.MIN_VALUE, "big");
                check(row.getDouble("d"), 0.1, "d");
                check(row.getBigDecimal("n"), new BigDecimal("1.250"), "n");
                check(row.getString("s"), "Zoë 😀'\\", "s");
                check(row.getBytes("b"), bytes, "b");
                check(row.getTimestamp("at"), at, "at");
                check(row.getDate("da").toString(), "1999-12-31", "da");
                check(row.getInt("z"), 42, "z");
                check(row.getString("y").substring(0, 4), "2024", "y");
                check(row.getBoolean("ok"), true, "ok");
                check(row.getInt("none") == 0 && row.wasNull(), true, "none");
                ResultSetMetaData meta = row.getMetaData();
                check(List.of(meta.getColumnTypeName(4), meta.getPrecision(4), meta.getScale(4), meta.getTableName(4), meta.isAutoIncrement(1), meta.isNullable(1)),
                      List.of("DECIMAL", 8, 3, "v", true, ResultSetMetaData.columnNoNulls), "metadata");
            }
        }
    }

    static void transactions(Connection db, Connection other) throws SQLException {
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        db.setAutoCommit(false);
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO v (s, big) VALUES (?, ?)")) {
            for (int i = 0; i < 500; ++i) {
                insert.setString(1, "n" + i);
                insert.setLong(2, i);
                insert.addBatch();
            }
            check(Arrays.stream(insert.executeBatch()).filter(n -> n == 1 || n == Statement.SUCCESS_NO_INFO).count(), 500L, "batch");
        }
        check(one(other, "SELECT COUNT(*) FROM v"), "1", "rows of another's open transaction");
        db.commit();
        java.sql.Savepoint point = db.setSavepoint("p");
        try (Statement statement = db.createStatement()) {
            check(statement.executeUpdate("DELETE FROM v WHERE big BETWEEN 0 AND 499"), 500, "deleted");
        }
        db.rollback(point);
        db.commit();
        db.setReadOnly(true);
        check(one(db, "SELECT SUM(big) FROM v WHERE id > 1"), "124750", "sum");
        db.rollback();
        db.setReadOnly(false);
        db.setAutoCommit(true);
        try (Statement statement = db.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            statement.setFetchSize(50);
            int rows = 0;
            try (ResultSet all = statement.executeQuery("SELECT * FROM v")) {
                while (all.next()) ++rows;
            }
            check(rows, 501, "streamed rows");
            statement.setMaxRows(3);
            statement.setQueryTimeout(5);
            try (ResultSet few = statement.executeQuery("SELECT * FROM v")) {
                for (rows = 0; few.next(); ) ++rows;
            }
            check(rows, 3, "rows of setMaxRows");
        }
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows.next()) values.add(rows.getString(name));
        return values;
    }

    static void introspect(Connection db) throws SQLException {
        try (Statement statement = db.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS child");
            statement.execute("CREATE TABLE child (id INT PRIMARY KEY, v INT, CONSTRAINT child_v FOREIGN KEY (v) REFERENCES v (id) ON DELETE CASCADE)");
        }
        DatabaseMetaData meta = db.getMetaData();
        check(meta.getDatabaseMajorVersion() >= 8, true, "version");
        check(column(meta.getTables("java", null, "%", new String[] {"TABLE"}), "TABLE_NAME"), List.of("child", "v"), "tables");
        check(column(meta.getColumns("java", null, "v", "%"), "COLUMN_NAME"), List.of("id", "big", "d", "n", "s", "b", "at", "da", "y", "z", "ok", "none"), "columns");
        check(column(meta.getPrimaryKeys("java", null, "v"), "COLUMN_NAME"), List.of("id"), "primary key");
        check(column(meta.getIndexInfo("java", null, "v", true, false), "INDEX_NAME"), List.of("PRIMARY", "s"), "indexes");
        try (ResultSet keys = meta.getImportedKeys("java", null, "child")) {
            keys.next();
            check(List.of(keys.getString("PKTABLE_NAME"), keys.getString("FKCOLUMN_NAME"), keys.getString("FK_NAME"), keys.getInt("DELETE_RULE")),
                  List.of("v", "v", "child_v", DatabaseMetaData.importedKeyCascade), "foreign key");
        }
        check(column(meta.getCatalogs(), "TABLE_CAT").contains("java"), true, "catalogs");
    }

    static void survive(String port, Connection db) throws Exception {
        String command = System.getenv("FAILOVER");
        if (command == null || command.isEmpty()) return;
        check(new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor(), 0, command);
        try {
            one(db, "SELECT 1");
            throw new AssertionError("the connection outlived its server");
        } catch (SQLException error) {
            check(error.getSQLState().substring(0, 2), "08", error.getMessage());
        }
        try (Connection again = open(port, "java", "")) {
            check(one(again, "SELECT COUNT(*) FROM v"), "501", "rows after the failover");
            again.createStatement().executeUpdate("INSERT INTO v (s) VALUES ('after')");
        }
    }

    public static void main(String[] words) throws Exception {
        String port = words[0];
        try (Connection admin = open(port, "", "")) {
            check(one(admin, "SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Ssl_version'").startsWith("TLS"), true, "TLS");
            admin.createStatement().execute("DROP DATABASE IF EXISTS java");
            admin.createStatement().execute("CREATE DATABASE java");
        }
        for (String options : List.of("&useServerPrepStmts=true", "&useServerPrepStmts=false&rewriteBatchedStatements=true&useCompression=true")) {
            Connection db = open(port, "java", options);
            Connection other = open(port, "java", "");
            values(db);
            transactions(db, other);
            introspect(db);
            refused(1062, "23000", () -> db.createStatement().execute("INSERT INTO v (s) VALUES ('n1')"));
            refused(1146, "42S02", () -> db.createStatement().execute("SELECT * FROM nothing"));
            refused(1064, "42000", () -> db.createStatement().execute("SELEC 1"));
            refused(1452, "23000", () -> db.createStatement().execute("INSERT INTO child VALUES (1, 9999)"));
            db.createStatement().execute("DROP TABLE child");
            if (options.contains("rewrite")) survive(port, db);
        }
        refused(1049, null, () -> open(port, "nothing", ""));
    }
}
