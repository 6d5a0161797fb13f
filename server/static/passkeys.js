// It asks the device for a passkey and puts the answer into the form that the button stands in.
// Without it the pages work as before, with passwords.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const read = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.allowCredentials, options.excludeCredentials])
      for (const one of list || []) one.id = bytes(one.id);
    return options;
  };

  const written = (found) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (found.response[name]) response[name] = text(found.response[name]);
    return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response });
  };

  if (!window.PublicKeyCredential) return;
  for (const place of document.querySelectorAll("[data-passkey]")) {
    const button = place.querySelector("button");
    const trouble = place.querySelector("[role=status]");
    const form = place.closest("form");
    place.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      trouble.hidden = true;
      try {
        const publicKey = read(JSON.parse(place.dataset.options));
        const found = await navigator.credentials[place.dataset.passkey]({ publicKey });
        form.elements.passkey.value = written(found);
        form.submit();
      } catch {
        trouble.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
