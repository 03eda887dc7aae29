// An agency's receiver: it verifies a webhook, keeps it, answers at once, and works on it afterwards.

import { createServer } from "node:http";
import Database from "libsql"; // or, from Node.js 22.13 on: import { DatabaseSync as Database } from "node:sqlite";
import { Webhook } from "standardwebhooks";

const { API_URL, API_KEY, WEBHOOK_SECRETS, INBOX = "inbox.sqlite", HOST = "127.0.0.1", PORT = "9000" } = process.env;
// One, or while it is being rotated the new and the old one, with a space between them.
const webhooks = WEBHOOK_SECRETS.trim().split(/\s+/).map((secret) => new Webhook(secret));
const LONGEST_BODY = 64 * 1024;

// --- the inbox: what was answered with 2xx lies on the disk, and a crash loses none of it ---

const db = new Database(INBOX);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000");
db.exec(`
  CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, body TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0, done_at INTEGER);
  CREATE INDEX IF NOT EXISTS inbox_open ON inbox (due_at) WHERE done_at IS NULL;
  CREATE TABLE IF NOT EXISTS handoffs (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL);
`);

// One that is there already, done or not, stays as it is.
const keep = db.prepare("INSERT INTO inbox (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING");
const firstDue = db.prepare(
  "SELECT id, body, tries FROM inbox WHERE done_at IS NULL AND due_at <= ? ORDER BY rowid LIMIT 1",
);
const putOff = db.prepare("UPDATE inbox SET tries = tries + 1, due_at = ? WHERE id = ?");
const done = db.prepare("UPDATE inbox SET done_at = ? WHERE id = ?");
const known = db.prepare("SELECT 1 FROM handoffs WHERE id = ? AND sequence >= ?");
// The newest state of a handoff; an older one changes nothing.
const remember = db.prepare(`
  INSERT INTO handoffs (id, sequence, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
  SET sequence = excluded.sequence, state = excluded.state WHERE excluded.sequence > handoffs.sequence`);

// --- the answer ---

const server = createServer(async (request, response) => {
  try {
    response.writeHead(await take(request)).end();
  } catch (error) {
    console.error("a webhook could not be taken:", error.message);
    response.writeHead(500).end(); // it will be sent again
  }
});

// Give the status to answer with: 204 once it is kept, 401 if no secret fits or it was signed over five minutes ago.
async function take(request) {
  if (request.method !== "POST" || request.url !== "/lintas") return 404;
  const parts = [];
  let length = 0;
  for await (const part of request) {
    parts.push(part);
    if ((length += part.length) > LONGEST_BODY) return 413;
  }
  const body = Buffer.concat(parts); // the bytes as they came: they are what is signed
  if (!webhooks.some((webhook) => fits(webhook, body, request.headers))) return 401;
  keep.run(request.headers["webhook-id"], body.toString());
  wake();
  return 204;
}

function fits(webhook, body, headers) {
  try {
    webhook.verify(body, headers); // one of the signatures is by this secret, and not too old
    return true;
  } catch {
    return false;
  }
}

// --- the work, after the answer ---

let wake = () => {};
const now = () => Math.floor(Date.now() / 1000);

// Work on what is due, one after the other; what fails is tried again after 1, 2, 4 ... seconds, at most 300.
async function work() {
  for (;;) {
    const due = firstDue.get(now());
    if (!due) {
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, 1000);
      });
      continue;
    }
    try {
      finish(due.id, await handle(JSON.parse(due.body)));
    } catch (error) {
      console.error(`webhook ${due.id} is tried again later:`, error.message);
      putOff.run(now() + Math.min(2 ** Math.min(due.tries, 9), 300), due.id);
    }
  }
}

// Write what became of it, and that it is done: both or neither.
function finish(id, handoff) {
  db.exec("BEGIN");
  try {
    if (handoff) remember.run(handoff.id, handoff.sequence, handoff.state);
    done.run(now(), id);
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

// Do what a webhook asks for, and give the handoff's id, sequence and state; after a crash it may be done twice.
async function handle({ type, data }) {
  if (type === "endpoint.verification") {
    const answer = await api("POST", `/v1/endpoints/${data.endpoint_id}/verify`, { challenge: data.challenge });
    if (answer.status !== 422) succeeded(answer); // 422: another challenge has taken its place
  }
  if (!type.startsWith("handoff.")) return null; // types that you do not know are let be: there will be new ones
  if (known.get(data.handoff_id, data.sequence)) return null; // they come in any order, and this one is overtaken
  // Built from the id and not taken from `url`: so the key goes to nobody but Lintas.
  const answer = await api("GET", `/v1/handoffs/${data.handoff_id}`);
  // 403, 404: it is not yours to see any more.
  if ([403, 404].includes(answer.status)) return { id: data.handoff_id, sequence: data.sequence, state: data.state };
  const handoff = await succeeded(answer).json();
  // Here your own code takes over, once or twice with the same result: it writes into your case system, or calls who
  // is on duty. What it reads of the victim belongs there, and not into this file or a log.
  console.log(`handoff ${handoff.id} is ${handoff.state}, to do: ${handoff.available_actions}`);
  return handoff;
}

function api(method, path, body) {
  const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(30_000);
  return fetch(new URL(path, API_URL), { method, headers, signal, body: body && JSON.stringify(body) });
}

function succeeded(answer) {
  if (!answer.ok) throw new Error(`${answer.url} was answered with ${answer.status}`);
  return answer;
}

work();
server.listen(Number(PORT), HOST);
