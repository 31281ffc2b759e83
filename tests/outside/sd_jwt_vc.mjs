// Verifies an SD-JWT VC with the library @sd-jwt/sd-jwt-vc; only the primitives are Node's own.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const asked = JSON.parse(await new Response(process.stdin).text());
const es256 = (jwk) => async (data, signature) =>
  verify('sha256', Buffer.from(data), { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'));
const instance = new SDJwtVcInstance({
  hasher: async (data, algorithm) => new Uint8Array(createHash(algorithm.replace('-', '')).update(data).digest()),
  hashAlg: 'sha-256',
  saltGenerator: async () => randomBytes(16).toString('base64url'),
  verifier: es256(asked.issuer),
  statusVerifier: es256(asked.issuer),
  statusListFetcher: async (uri) => asked.statuses[uri],
  kbVerifier: async (data, signature, payload) => es256(payload.cnf.jwk)(data, signature),
});
try {
  const found = await instance.verify(asked.text, { currentDate: asked.now, ...asked.options });
  process.stdout.write(JSON.stringify({ payload: found.payload, kb: found.kb?.payload ?? null }));
} catch (error) {
  process.stdout.write(JSON.stringify({ refused: String(error.message) }));
}
