-- One row that every session increments: sysbench hot_row.lua --threads=1000 … prepare | run | cleanup
function thread_init()
  con = sysbench.sql.driver():connect()
end
function event()
  con:query("UPDATE hot SET v = v + 1 WHERE id = 1")
end
function prepare()
  local con = sysbench.sql.driver():connect()
  con:query("CREATE TABLE hot (id INT PRIMARY KEY, v BIGINT)")
  con:query("INSERT INTO hot VALUES (1, 0)")
end
function cleanup()
  sysbench.sql.driver():connect():query("DROP TABLE hot")
end
