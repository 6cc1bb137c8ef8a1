// Follows the script: each save brings a new picture, or says what is wrong over the last good one.
const viewer = document.querySelector('topomotion-viewer');
const mistake = document.getElementById('mistake');
const words = document.getElementById('state');
const dot = document.getElementById('dot');
let shown = 0;

function tell(kind, text) {
  dot.className = kind;
  words.textContent = text;
}

async function follow({ name, drawn, mistake: wrong }) {
  document.getElementById('name').textContent = name;
  document.title = `${wrong ? '✗ ' : ''}${name}`;
  if (drawn > shown) {
    const answer = await fetch('picture');
    if (answer.ok) viewer.bundle = await answer.json();
    shown = drawn;
  }
  mistake.hidden = !wrong;
  if (wrong) mistake.querySelector('pre').textContent = wrong.trim();
  if (wrong) tell('wrong', drawn ? 'the picture is that of the last save that worked' : 'no picture yet');
  else if (drawn) tell('', 'follows every save');
}

const events = new EventSource('events');
let last = Promise.resolve();
events.onmessage = ({ data }) => {
  last = last.then(() => follow(JSON.parse(data))).catch((error) => tell('wrong', String(error)));
};
events.onerror = () => {
  tell('waiting', 'topomotion preview has ended; waiting for it to come back');
  // It counts anew when it does.
  shown = 0;
};
