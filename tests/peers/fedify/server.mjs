// A small server made of Fedify, for the tests in tests/peers. It does what it is told by lines of JSON on standard input,
// {"id": 1, "who": "ana", "what": "follow", "with": ["https://..."]}, and answers each by a line on standard output. It ends with
// its input. Everything that is signed, verified, fetched, packed or read here is by Fedify.
import { readFileSync } from "node:fs";
import https from "node:https";
import readline from "node:readline";
import { Readable } from "node:stream";

import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import {
  Accept, Activity, Announce, Application, Create, Delete, Endpoints, Follow, Group, Image, Like, Note, Person, PUBLIC_COLLECTION, Question,
  Tombstone, Undo, Update,
} from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const { HOST, PORT, CERTIFICATE, FIRST_KNOCK, ONLY } = process.env;
const base = new URL(`https://${HOST}`);
const SERVER = "server"; // its own actor, whose key may be fetched unsigned

const people = new Map(); // login -> {keys, heard, followers}
const shown = new Map(); // number -> what is at /things/<number>
const refused = [];
let numbers = 0;

const federation = createFederation({
  kv: new MemoryKvStore(),
  allowPrivateAddress: true,
  firstKnock: FIRST_KNOCK,
  origin: base.origin,
});

// One pair of each kind for all: making an RSA key of 4096 bits takes a second or more.
const keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];

function join(login, kin = false) {
  people.set(login, { kin, heard: [], followers: [] });
  return uri(login).href;
}

const context = () => federation.createContext(base, undefined);
const uri = (login) => context().getActorUri(login);

// Only who signs sees anything, but the server's own actor.
const signed = async (ctx) => (await ctx.getSignedKeyOwner()) != null;

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, login) => {
    if (!people.has(login)) return null;
    const keys = await ctx.getActorKeyPairs(login);
    const Kind = login === SERVER ? Application : people.get(login).kin ? Group : Person;
    return new Kind({
      id: ctx.getActorUri(login),
      preferredUsername: login,
      name: login,
      inbox: ctx.getInboxUri(login),
      followers: login === SERVER ? null : ctx.getFollowersUri(login),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
    });
  })
  .setKeyPairsDispatcher((_, login) => people.has(login) ? keys : [])
  .authorize(async (ctx, login) => login === SERVER || (await signed(ctx)));

federation
  .setFollowersDispatcher("/users/{identifier}/followers", (_, login) => ({ items: people.get(login).followers }))
  .authorize(signed);

federation
  .setObjectDispatcher(Note, "/things/{number}", (_, { number }) => shown.get(number) ?? null)
  .authorize(signed);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: SERVER }))
  .on(Follow, async (ctx, follow) => {
    await keep(ctx, follow);
    const { identifier: login } = ctx.parseUri(follow.objectId);
    const follower = await follow.getActor(ctx);
    people.get(login).followers.push({ id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
    await ctx.sendActivity(
      { identifier: login },
      follower,
      new Accept({ id: new URL(`/accepts/${++numbers}`, base), actor: follow.objectId, object: follow, to: follower.id }),
    );
  })
  .on(Activity, keep);

// What arrived, as Fedify read it, for one person, or by the shared inbox for everybody.
async function keep(ctx, activity) {
  const read = await told(activity);
  const whose = ctx.recipient == null ? [...people.values()] : [people.get(ctx.recipient)];
  for (const person of whose) person.heard.push(read);
}

// Only what is embedded counts: nothing is fetched to fill in the rest.
const nowhere = () => Promise.reject(new Error("not embedded"));

async function told(thing) {
  if (thing == null) return null;
  const found = { type: thing.constructor.name, id: thing.id?.href ?? null };
  if (thing instanceof Activity && !(thing instanceof Question)) {
    found.actor = thing.actorId?.href;
    const inner = await thing.getObject({ documentLoader: nowhere, suppressError: true, crossOrigin: "ignore" });
    found.object = inner == null ? thing.objectId?.href : await told(inner);
  } else {
    found.attributedTo = thing.attributionId?.href;
    found.inReplyTo = thing.replyTargetId?.href ?? null;
    found.content = thing.content?.toString() ?? null;
    found.to = thing.toIds?.map((one) => one.href);
    found.cc = thing.ccIds?.map((one) => one.href);
    if (thing instanceof Question) {
      found.oneOf = [];
      for await (const option of thing.getExclusiveOptions()) {
        found.oneOf.push({ name: option.name?.toString(), totalItems: (await option.getReplies())?.totalItems ?? null });
      }
      found.endTime = thing.endTime?.toString() ?? null;
      found.closed = thing.closed?.toString() ?? null;
      found.votersCount = thing.voters;
    }
    if (thing.inboxId != null) {
      found.inbox = thing.inboxId.href;
      found.preferredUsername = thing.preferredUsername?.toString();
      found.name = thing.name?.toString();
    }
    for await (const one of thing.getAttachments?.({ suppressError: true }) ?? []) {
      if (one instanceof Image) (found.images ??= []).push(one.name?.toString() ?? one.summary?.toString());
    }
  }
  return found;
}

const now = () => Temporal.Now.instant();
const thing = () => new URL(`/things/${++numbers}`, base);
const number = (id) => new URL(id).pathname.split("/").pop();

// An actor or a document elsewhere, by a GET that this person signs.
async function look(ctx, login, whom) {
  const documentLoader = await ctx.getDocumentLoader({ identifier: login });
  const found = await ctx.lookupObject(whom, { documentLoader });
  if (found == null) throw new Error(`Fedify finds nothing by ${whom}`);
  return found;
}

async function send(ctx, login, to, activity) {
  for (const one of to) {
    const recipient = typeof one === "string" ? await look(ctx, login, one) : one;
    await ctx.sendActivity({ identifier: login }, recipient, activity);
  }
  return activity.id.href;
}

// An activity of this person's about something.
const activity = (Kind, login, object, more = {}) =>
  new Kind({ id: new URL(`/said/${++numbers}`, base), actor: uri(login), object, published: now(), ...more });

const told_to = new Map(); // id of a Note -> whom it was sent

async function say(ctx, login, to, values) {
  const note = new Note({
    id: thing(),
    attribution: uri(login),
    published: now(),
    tos: [PUBLIC_COLLECTION],
    ccs: [ctx.getFollowersUri(login), ...to.filter((one) => typeof one === "string").map((one) => new URL(one))],
    ...values,
  });
  shown.set(number(note.id), note);
  told_to.set(note.id.href, to);
  const create = activity(Create, login, note, { tos: note.toIds, ccs: note.ccIds });
  return [note.id.href, await send(ctx, login, to, create)];
}

const deeds = {
  join: (_, login, kin) => join(login, kin),
  refused: (_ctx, _login, forget) => (forget ? refused.splice(0) : refused),
  heard: (_, login) => people.get(login).heard,
  look_up: async (ctx, login, handle) => told(await look(ctx, login, handle)),
  fetch: async (ctx, login, id) => told(await look(ctx, login, id)),
  status: async (ctx, login, id) => {
    const load = await ctx.getDocumentLoader({ identifier: login });
    return load(id).then(() => 200, (error) => error.response?.status ?? Number(/HTTP (\d{3})/.exec(error.message)?.[1]));
  },
  follow: (ctx, login, actor) => send(ctx, login, [actor], activity(Follow, login, new URL(actor), { to: new URL(actor) })),
  unfollow: (ctx, login, actor, follow) =>
    send(ctx, login, [actor], activity(Undo, login, new Follow({ id: new URL(follow), actor: uri(login), object: new URL(actor) }))),
  publish: async (ctx, login, words) => (await say(ctx, login, [...people.get(login).followers], { content: words }))[0],
  reply: (ctx, login, post, words) => say(ctx, login, [post.attributedTo], { content: words, replyTarget: new URL(post.id) }),
  vote: (ctx, login, question, option) => {
    const author = new URL(question.attributedTo);
    const vote = new Note({ id: thing(), attribution: uri(login), name: option, replyTarget: new URL(question.id), to: author });
    return send(ctx, login, [author.href], activity(Create, login, vote, { to: author }));
  },
  boost: (ctx, login, post) =>
    send(ctx, login, [post.attributedTo], activity(Announce, login, new URL(post.id), {
      to: PUBLIC_COLLECTION, cc: new URL(post.attributedTo),
    })),
  like: (ctx, login, post) =>
    send(ctx, login, [post.attributedTo], activity(Like, login, new URL(post.id), { to: new URL(post.attributedTo) })),
  edit: (ctx, login, id, words) => {
    const changed = shown.get(number(id)).clone({ content: words, updated: now() });
    shown.set(number(id), changed);
    return send(ctx, login, told_to.get(id), activity(Update, login, changed, { tos: changed.toIds, ccs: changed.ccIds }));
  },
  delete: (ctx, login, id) => {
    shown.delete(number(id));
    const gone = new Tombstone({ id: new URL(id), deleted: now() });
    return send(ctx, login, told_to.get(id), activity(Delete, login, gone, { to: PUBLIC_COLLECTION }));
  },
};

// Does it take this one at all? It may be told to take only activities that are signed as it signs first itself.
const takes = ({ method, headers }) => !ONLY || method !== "POST" || (FIRST_KNOCK === "rfc9421") === "signature-input" in headers;

// What makes a group kin is no word of Fedify's vocabulary; it is put into the document on its way out.
function asKin(path, status, body) {
  if (status !== 200 || !people.get(/^\/users\/(\w+)$/.exec(path)?.[1])?.kin) return body;
  const record = { v: 1, type: "Collective", scopes: `${base.origin}/scopes/{scope}` };
  return JSON.stringify({ ...JSON.parse(body), "jura:record": record });
}

async function answer(incoming, outgoing) {
  if (!takes(incoming)) return outgoing.writeHead(401).end();
  const request = new Request(new URL(incoming.url, base), {
    method: incoming.method,
    headers: Object.entries(incoming.headers).filter(([name]) => !name.startsWith(":")),
    ...(["GET", "HEAD"].includes(incoming.method) ? {} : { body: Readable.toWeb(incoming), duplex: "half" }),
  });
  const response = await federation.fetch(request, { contextData: undefined });
  if (response.status === 401) refused.push(`${incoming.method} ${incoming.url} ${incoming.headers.signature ?? "unsigned"}`);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(asKin(incoming.url, response.status, Buffer.from(await response.arrayBuffer())));
}

join(SERVER);
const pem = readFileSync(CERTIFICATE);
const server = https.createServer({ key: pem, cert: pem }, (incoming, outgoing) => {
  answer(incoming, outgoing).catch((error) => {
    console.error(error);
    outgoing.writeHead(500).end();
  });
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(JSON.stringify({ id: 0, done: "ready" })));

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, who, what, with: values } = JSON.parse(line);
  Promise.resolve()
    .then(() => deeds[what](context(), who, ...values))
    .then((done) => console.log(JSON.stringify({ id, done })))
    .catch((error) => console.log(JSON.stringify({ id, failed: `${error.stack}${error.cause ? ` (${error.cause})` : ""}` })));
}
process.exit(0);
