// Reads messages from standard input, one JSON object a line: { key, headers, body }. Writes for each whether the standard's
// library verifies it, and what it signs the same message with.
import { createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

// The library knows no asymmetric signatures: Node.js itself does.
function isSignedWith(publicKey, { headers, body }) {
  const raw = Buffer.from(publicKey.slice("whpk_".length), "base64");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
  const text = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signatures = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
  return signatures.some((one) => verify(null, Buffer.from(text), key, Buffer.from(one.slice(4), "base64")));
}

function judge(message) {
  if (message.key.startsWith("whpk_")) return { verified: isSignedWith(message.key, message), signature: null };
  const webhook = new Webhook(message.key);
  const at = new Date(Number(message.headers["webhook-timestamp"]) * 1000);
  const signature = webhook.sign(message.headers["webhook-id"], at, message.body);
  try {
    webhook.verify(message.body, message.headers);
    return { verified: true, signature };
  } catch {
    return { verified: false, signature };
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(judge(JSON.parse(line))));
