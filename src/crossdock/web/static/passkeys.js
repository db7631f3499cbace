// Passkeys: asks the browser for one, puts its answer into the form and sends it. Other ways stand beside each button.
(() => {
  "use strict";

  const options = async (form) => {
    if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).request_options;
  };

  const create = async (form) => {
    const asked = await options(form);
    const alone = Boolean(form.elements.passwordless?.checked);
    const how = asked.publicKey.authenticatorSelection ??= {};
    how.residentKey = alone ? "required" : "discouraged";
    how.requireResidentKey = alone;
    if (alone) how.userVerification = "required";
    return window.webauthnJSON.create(asked);
  };

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const button = form.querySelector("[data-passkey-start]");
    const said = form.querySelector("[data-passkey-said]");
    if (!window.webauthnJSON?.supported()) {
      button.disabled = true;
      said.textContent = "This browser has no passkeys.";
      return;
    }
    button.addEventListener("click", async () => {
      said.textContent = "";
      try {
        const answer = form.dataset.passkey === "create" ? await create(form) : await window.webauthnJSON.get(await options(form));
        form.elements.credential.value = JSON.stringify(answer);
        form.requestSubmit();
      } catch {
        said.textContent = "The passkey was not used. Try again, or take another way.";
      }
    });
  });
})();
