/**
 * One full exchange with Lintas through the generated client: an agency refers, another takes it on and ends it.
 *
 * Run it with the keys of a sender and of the receiver that is asked first, such as `make run` prints:
 *
 *     BASE_URL=http://127.0.0.1:8080 SENDER=lintas_sender_... RECEIVER=lintas_receiver_... node built/exchange.js
 *
 * It says every step, and ends with 1 at the first one that does not go as it should.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { createClient, createConfig, type Client } from "./lintas-client/client/index.js";
import {
  acceptHandoff,
  amendReferral,
  completeHandoff,
  declineHandoff,
  listEvents,
  listHandoffs,
  listReferrals,
  readHandoff,
  readReferral,
  startHandoff,
  submitReferral,
  type EventPage,
  type HandoffInList,
  type HandoffPage,
  type HandoffState,
  type Problem,
  type ReferralAmendment,
  type ReferralLineView,
  type ReferralPage,
  type ReferralSubmission,
  type ReferralView,
} from "./lintas-client/index.js";

/** What the generated functions answer: `data` if it went well, else `error`. */
type Answer<View> = { data?: View | undefined; error?: Problem | undefined; response?: Response | undefined };

/** Lintas refused a request: `problem` says why, in `code` for programs and in `detail` for people. */
class Refused extends Error {
  constructor(
    readonly problem: Problem,
    readonly headers: Headers,
  ) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
  }
}

async function main(): Promise<void> {
  const run = randomUUID().slice(0, 12);
  const sender = client(setting("SENDER"));
  const receiver = client(setting("RECEIVER"));

  const referral = await send(sender, run);
  await pageThrough(sender, run, referral.id);
  const [accepted, declined] = await receive(receiver, referral.id);
  await amend(sender, referral.id);
  await follow(sender, referral.id, accepted, declined);
  await askTooOften(sender);
}

/** Send a referral: refused while it is wrong, taken once, and the same one again when the answer was lost. */
async function send(sender: Client, run: string): Promise<ReferralView> {
  const submit = (body: ReferralSubmission, key: string) =>
    submitReferral({ client: sender, body, headers: { "Idempotency-Key": key } });

  const wrong = refusal(await submit({ ...aReferral(`${run}-1`), services: [{ type: "tailoring" }] }, `${run}-0`));
  step("a referral that asks for what nobody gives is refused", wrong.problem.status === 422);
  step("and the problem names the field", wrong.problem.errors?.map((one) => one.pointer).join() === "/services/0/type");

  const body = aReferral(`${run}-1`);
  const answer = await submit(body, `${run}-1`);
  const referral = shown(answer);
  step("a referral is taken", answer.response?.status === 201 && referral.state === "open");
  const asked = referral.service_requests.filter((one) => one.handoff !== null).map((one) => one.service_type);
  step("and says whom it asked for what", asked.sort().join() === "legal_service,psychosocial_service");

  const again = await submit(body, `${run}-1`);
  step("sent again under its key it is the same one", shown(again).id === referral.id);
  step("and says that it is a repeat", again.response?.headers.get("Idempotency-Replayed") === "true");

  const other = refusal(await submit(aReferral(`${run}-2`), `${run}-1`));
  step("another one under the same key is refused", other.problem.status === 422);
  const twice = refusal(await submit(body, `${run}-2`));
  step("and the same one under another key is a conflict", twice.problem.status === 409);
  return referral;
}

/** Send two more, and find all three by pages of two. */
async function pageThrough(sender: Client, run: string, first: string): Promise<void> {
  const sent = [first];
  for (const number of [2, 3]) {
    const key = `${run}-${number}`;
    const body = aReferral(key);
    sent.push(shown(await submitReferral({ client: sender, body, headers: { "Idempotency-Key": key } })).id);
  }
  const listed: string[] = [];
  for await (const line of referralsOf(sender, 2)) {
    listed.push(line.id);
    if (line.id === first) break;
  }
  step("three referrals are listed over two pages, newest first", listed.join() === sent.reverse().join());
}

/** Find what may be accepted, accept and complete one, decline the other. */
async function receive(receiver: Client, referralId: string): Promise<[string, string]> {
  const offered = new Map<string, string>();
  for await (const line of handoffsOf(receiver, "offered", "expired")) {
    if (line.referral_id === referralId) offered.set(line.service_type, line.id);
  }
  const accepted = offered.get("legal_service");
  const declined = offered.get("psychosocial_service");
  step("the receiver finds both offers, with those that may still be accepted", accepted !== undefined && declined !== undefined && offered.size === 2);
  const first = { client: receiver, path: { handoff_id: accepted } };

  let handoff = shown(await readHandoff(first));
  step("an offer says by when it is to be answered", Date.parse(handoff.respond_by) > Date.parse(handoff.offered_at));
  step("and shows no name yet", !("name" in (handoff.case?.personal ?? {})));

  handoff = shown(await acceptHandoff({ ...first, headers: { "Idempotency-Key": randomUUID() } }));
  step("it is accepted", handoff.state === "accepted");
  const again = refusal(await acceptHandoff({ ...first, headers: { "Idempotency-Key": randomUUID() } }));
  step("accepting it once more is a conflict", again.problem.status === 409);
  step("which says what can be done instead", again.problem.available_actions?.includes("start") === true);

  const no = { reason: "no_capacity", note: "Penuh sampai akhir minggu." } as const;
  handoff = shown(await declineHandoff({ client: receiver, path: { handoff_id: declined }, body: no }));
  step("the other one is declined", handoff.state === "declined" && handoff.reason === "no_capacity");

  shown(await startHandoff(first));
  handoff = shown(await completeHandoff({ ...first, body: { outcome: "service_given" } }));
  step("and the first is completed", handoff.state === "completed" && handoff.outcome === "service_given");
  return [accepted, declined];
}

/** Add to the referral what became known: only to the version that was read. */
async function amend(sender: Client, referralId: string): Promise<void> {
  const one = { client: sender, path: { referral_id: referralId } };
  const read = await readReferral(one);
  const body: ReferralAmendment = { narrative: "Korban sudah di rumah kakaknya." };

  const stale = refusal(await amendReferral({ ...one, body, headers: { "If-Match": '"v0"' } }));
  step("a change to another version is refused", stale.problem.status === 412);

  const tag = read.response?.headers.get("ETag") ?? "";
  const amended = await amendReferral({ ...one, body, headers: { "If-Match": tag } });
  step("and to the version that was read it is made", shown(amended).version === shown(read).version + 1);
  step("which is then another", amended.response?.headers.get("ETag") === `"v${shown(amended).version}"`);
}

/** Read in the feed what became of it all, as a webhook would have said; the cursor is kept between two looks. */
async function follow(sender: Client, referralId: string, accepted: string, declined: string): Promise<void> {
  const lived = ["handoff.accepted", "handoff.started", "handoff.completed"];
  const told = new Map<unknown, string[]>();
  let after: string | null = null;
  for (let look = 0; look < 20 && !told.get(accepted)?.includes("handoff.completed"); look++) {
    if (look > 0) await sleep(500);
    const page: EventPage = shown(await listEvents({ client: sender, query: { limit: 200, after } }));
    after = page.next ?? after;
    for (const event of page.items) {
      if (event.data["referral_id"] !== referralId || ![...lived, "handoff.declined"].includes(event.type)) continue;
      const handoff = event.data["handoff_id"];
      told.set(handoff, [...(told.get(handoff) ?? []), event.type]);
    }
  }
  step("the sender is told what became of the first", told.get(accepted)?.join() === lived.join());
  step("and of the other", told.get(declined)?.join() === "handoff.declined");
}

/** Ask until Lintas says that it is too much, wait as long as it says, and go on. */
async function askTooOften(sender: Client): Promise<void> {
  const ask = () => listReferrals({ client: sender, query: { limit: 1 } });
  let answer = await ask();
  for (let asked = 0; asked < 1_000 && answer.response?.status !== 429; asked++) answer = await ask();
  const refused = refusal(answer);
  step("who asks too often is told so", refused.problem.status === 429);
  await sleep(Number(refused.headers.get("Retry-After")) * 1000);
  step("and for how long to wait", (await ask()).response?.status === 200);
}

/** Write a referral: a woman hurt in Sepaku asks for a lawyer and for somebody to talk to. */
function aReferral(reference: string): ReferralSubmission {
  return {
    sender_reference: reference,
    urgency: "standard",
    case: { types: ["physical", "psychological"] },
    locations: { incident: "64.09.04", domicile: "64.09.01", current: "64.09.01" },
    victim: { alias: "Bunga", sex: "female", age: 31 },
    services: [{ type: "legal_service" }, { type: "psychosocial_service" }],
    consent: { basis: "victim", given_at: new Date(Date.now() - 3_600_000).toISOString() },
  };
}

/** List all referrals, page by page. */
async function* referralsOf(sender: Client, limit: number): AsyncGenerator<ReferralLineView> {
  let after: string | null = null;
  do {
    const page: ReferralPage = shown(await listReferrals({ client: sender, query: { limit, after } }));
    yield* page.items;
    after = page.next;
  } while (after !== null);
}

/** List all handoffs in any of some states, page by page. */
async function* handoffsOf(receiver: Client, ...state: HandoffState[]): AsyncGenerator<HandoffInList> {
  let after: string | null = null;
  do {
    const page: HandoffPage = shown(await listHandoffs({ client: receiver, query: { state, after } }));
    yield* page.items;
    after = page.next;
  } while (after !== null);
}

/** Make a client that sends a key with every request. */
function client(key: string): Client {
  return createClient(
    createConfig({ baseUrl: setting("BASE_URL"), auth: key, headers: { "Accept-Language": "en" } }),
  );
}

/** Give what an answer shows, or say what was refused. */
function shown<View>(answer: Answer<View>): View {
  if (answer.error !== undefined) throw new Refused(answer.error, answer.response?.headers ?? new Headers());
  if (answer.data === undefined) throw new Error(`${answer.response?.status} came with nothing to show`);
  return answer.data;
}

/** Give what a request was refused with. */
function refusal(answer: Answer<unknown>): Refused {
  if (answer.error === undefined) throw new Error(`it should have been refused, but ${answer.response?.status} came back`);
  return new Refused(answer.error, answer.response?.headers ?? new Headers());
}

/** Read a setting from the environment. */
function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Say a step, and end here if it did not go as it should. */
function step(what: string, happened: boolean): asserts happened {
  console.log(`  ${happened ? "ok" : "NOT"}  ${what}`);
  if (!happened) process.exit(1);
}

await main();
