// Passkeys: the browser's own dialogue, then an ordinary form post. <form data-passkey="create|get" data-options="JSON">
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => {
  let binary = "";
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

function creation(options) {
  const known = (options.excludeCredentials || []).map((each) => ({ ...each, id: toBytes(each.id) }));
  const user = { ...options.user, id: toBytes(options.user.id) };
  return { ...options, challenge: toBytes(options.challenge), user, excludeCredentials: known };
}

function request(options) {
  const allowed = (options.allowCredentials || []).map((each) => ({ ...each, id: toBytes(each.id) }));
  return { ...options, challenge: toBytes(options.challenge), allowCredentials: allowed };
}

function answer(credential) {
  const given = credential.response;
  const response = { clientDataJSON: toText(given.clientDataJSON) };
  if (given.attestationObject) {
    response.attestationObject = toText(given.attestationObject);
    response.transports = given.getTransports ? given.getTransports() : [];
  } else {
    response.authenticatorData = toText(given.authenticatorData);
    response.signature = toText(given.signature);
    if (given.userHandle) response.userHandle = toText(given.userHandle);
  }
  return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });
}

async function use(form) {
  const options = JSON.parse(form.dataset.options);
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: creation(options) })
    : await navigator.credentials.get({ publicKey: request(options) });
  form.elements.answer.value = answer(credential);
  form.requestSubmit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-go]");
  const failed = form.querySelector("[data-passkey-failed]");
  if (!window.PublicKeyCredential) {
    form.querySelector("[data-passkey-lacks]").hidden = false;
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    failed.hidden = true;
    if (!form.reportValidity()) return;
    // Said no, took too long, or has none: nothing is sent, the page says so.
    use(form).catch(() => { failed.hidden = false; });
  });
}
