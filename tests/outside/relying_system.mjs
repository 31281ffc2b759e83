// Another system: a small web site that signs its users in with openid-client, which neither knows nor shares our code.
// Reads its settings as JSON from the first argument; prints "ready" when it listens.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import * as client from "openid-client";

const { issuer, client_id, client_secret, port, scope, name } = JSON.parse(process.argv[2]);
const base = `http://127.0.0.1:${port}`;
const back = `${base}/back`;
const config = await client.discovery(
  new URL(issuer), client_id, client_secret, undefined, { execute: [client.allowInsecureRequests] },
);
const sessions = new Map();

const session = (request, response) => {
  const cookie = `${name}=`;
  let id = (request.headers.cookie ?? "").split("; ").find((each) => each.startsWith(cookie))?.slice(cookie.length);
  if (!id || !sessions.has(id)) {
    id = randomUUID();
    sessions.set(id, {});
    response.setHeader("Set-Cookie", `${cookie}${id}; HttpOnly; Path=/`);
  }
  return sessions.get(id);
};

const said = (tokens, person) => ({ claims: tokens.claims(), person, refreshable: Boolean(tokens.refresh_token) });

const routes = {
  async "/login"(mine, url) {
    mine.verifier = client.randomPKCECodeVerifier();
    mine.state = client.randomState();
    mine.nonce = client.randomNonce();
    const asked = {
      redirect_uri: back, scope, state: mine.state, nonce: mine.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(mine.verifier), code_challenge_method: "S256",
      ...Object.fromEntries(url.searchParams),
    };
    return { redirect: client.buildAuthorizationUrl(config, asked).href };
  },
  async "/back"(mine, url) {
    const tokens = await client.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: mine.verifier, expectedState: mine.state, expectedNonce: mine.nonce, idTokenExpected: true,
    });
    const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    Object.assign(mine, { tokens, person });
    return { redirect: "/" };
  },
  async "/"(mine) {
    return { body: mine.tokens ? said(mine.tokens, mine.person) : { nobody: true } };
  },
  async "/refresh"(mine) {
    const old = mine.tokens.refresh_token;
    mine.tokens = await client.refreshTokenGrant(config, old);
    const fresh = await client.fetchUserInfo(config, mine.tokens.access_token, mine.person.sub);
    let reused = "accepted";
    try { await client.refreshTokenGrant(config, old); } catch (error) { reused = error.error ?? String(error); }
    let after = "valid";
    try { await client.fetchUserInfo(config, mine.tokens.access_token, mine.person.sub); } catch { after = "void"; }
    return { body: { fresh, reused, after } };
  },
  async "/logout"(mine) {
    const target = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: `${base}/bye`, id_token_hint: mine.tokens.id_token,
    });
    mine.tokens = undefined;
    return { redirect: target.href };
  },
  async "/bye"() { return { body: { bye: true } }; },
};

createServer(async (request, response) => {
  const url = new URL(request.url, base);
  try {
    const route = routes[url.pathname];
    const answer = route ? await route(session(request, response), url) : { body: { missing: true } };
    if (answer.redirect) {
      response.writeHead(302, { Location: answer.redirect }).end();
    } else {
      response.writeHead(200, { "Content-Type": "application/json; charset=utf-8" }).end(JSON.stringify(answer.body));
    }
  } catch (error) {
    const body = { error: error.error ?? error.code ?? error.message, detail: String(error.cause ?? "") };
    response.writeHead(500, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }
}).listen(port, "127.0.0.1", () => console.log("ready"));
