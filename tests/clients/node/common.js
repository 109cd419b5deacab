// What the Node clients share: where the server is, asserts on errors, and a failover on the way. FAILOVER is the command that promotes
// a reader; without it (another server, a cluster without readers) that part is left out.
'use strict';
const assert = require('node:assert/strict');
const { execSync } = require('node:child_process');

const port = Number(process.argv[2]);
const server = { host: '127.0.0.1', port, user: 'root', password: '' };
const tls = { rejectUnauthorized: false }; // the server signs its own certificate

// The error of a driver, also where an ORM wraps it.
function driverError(error) {
  for (let e = error; e; e = e.cause || e.original || e.driverError || e.parent) if (e.errno) return e;
  throw error;
}

async function refused(errno, action) {
  let error = null;
  try {
    await action();
  } catch (caught) {
    error = driverError(caught);
  }
  assert.equal(error && error.errno, errno, error ? error.message : `not refused with ${errno}`);
  return error;
}

// Promotes a reader, then repeats `read` while its connections prove to be lost; what it reads must be what was committed.
async function survive(read, want) {
  if (!process.env.FAILOVER) return;
  execSync(process.env.FAILOVER, { stdio: 'pipe' });
  for (let attempt = 1; ; ++attempt) {
    try {
      assert.deepEqual(await read(), want);
      return;
    } catch (error) {
      if (error instanceof assert.AssertionError || attempt === 20) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function run(main) {
  main().then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { assert, port, server, tls, refused, survive, run };
