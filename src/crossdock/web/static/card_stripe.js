// The card's fields are Stripe's own frame: the number goes to Stripe, and only a one-time id comes to us with the form.
(() => {
  "use strict";
  const form = document.getElementById("pay");
  const typed = document.getElementById("typed-card");
  const said = document.getElementById("card-said");
  const button = form.querySelector("button");
  const say = (text) => { said.textContent = text; };
  if (!window.Stripe) {
    say("The card's fields could not be loaded. Reload the page, or allow js.stripe.com in your browser.");
    typed.disabled = true;
    return;
  }
  const stripe = window.Stripe(form.dataset.publicKey);
  const card = stripe.elements().create("card");
  card.mount("#card");
  card.on("change", (event) => say(event.error ? event.error.message : ""));
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (!typed.checked || typed.value) return;
    event.preventDefault();
    // The house's guard against double clicks would keep the form shut after a card with a typing error.
    event.stopPropagation();
    if (asking) return;
    asking = button.disabled = true;
    try {
      const answer = await stripe.createPaymentMethod({ type: "card", card });
      if (answer.error) {
        say(answer.error.message);
      } else {
        typed.value = answer.paymentMethod.id;
        form.submit();
        return;
      }
    } catch (error) {
      say("The card could not be read. Nothing was charged; try again.");
    }
    asking = button.disabled = false;
  });
  // Coming back to a kept page: the id was used, the fields are asked again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) { typed.value = ""; asking = button.disabled = false; }
  });
})();
