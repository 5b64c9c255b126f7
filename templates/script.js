(function () {
'use strict';
// All is readable without it. Rows are made with createElement and textContent only.
var D = document, R = D.documentElement, NS = 'http://www.w3.org/2000/svg', STEP = 50, FOLDS = 'main details:not(.cols):not(.mnav)';
R.classList.add('js');
function all(selector, root) { return Array.from((root || D).querySelectorAll(selector)); }
function by(id) { return D.getElementById(id); }
function make(name, cls, text) {
  var e = D.createElement(name);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}
function draw(name, attributes) {
  var e = D.createElementNS(NS, name);
  Object.keys(attributes).forEach(function (k) { e.setAttribute(k, attributes[k]); });
  return e;
}
function say(text) { by('live').textContent = text; }
function group(n) { return String(n).replace(/\B(?=(\d{3})+$)/g, ','); }

// The system's until chosen; file pages may refuse to remember.
var theme = by('theme');
function current() { return R.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'); }
function label() { theme.textContent = current() === 'dark' ? 'Light theme' : 'Dark theme'; }
try { var kept = localStorage.getItem('pgretro-theme'); if (kept) R.dataset.theme = kept; } catch (e) {}
label();
theme.onclick = function () {
  R.dataset.theme = current() === 'dark' ? 'light' : 'dark';
  try { localStorage.setItem('pgretro-theme', R.dataset.theme); } catch (e) {}
  label();
};

by('print').onclick = function () { print(); };

// Exact numbers: swaps the short form and the title of every number.
var exact = by('exact'), isExact = false, wasExact = false;
function show(root) {
  all('data[title]', root).forEach(function (d) {
    if (d.dataset.h === undefined) d.dataset.h = d.textContent;
    d.textContent = isExact ? d.title : d.dataset.h;
  });
}
exact.onclick = function () {
  isExact = !isExact;
  wasExact = true;
  exact.setAttribute('aria-pressed', isExact);
  R.classList.toggle('exact', isExact);
  show(D);
};

var expand = by('expand');
expand.onclick = function () {
  var on = expand.getAttribute('aria-pressed') !== 'true';
  expand.setAttribute('aria-pressed', on);
  expand.textContent = on ? 'Collapse all' : 'Expand all';
  all(FOLDS).forEach(function (d) { d.open = on; });
};

all('[data-copy]').forEach(function (b) {
  b.onclick = function () {
    var text = b.closest('.sql').querySelector('pre').textContent;
    function done() {
      b.textContent = 'Copied';
      say('Copied to clipboard');
      setTimeout(function () { b.textContent = 'Copy'; }, 1400);
    }
    function old() {
      var area = make('textarea');
      area.value = text;
      D.body.appendChild(area);
      area.select();
      D.execCommand('copy');
      area.remove();
      done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, old); else old();
  };
});

// TABLES
D.addEventListener('click', function (event) {
  var b = event.target.closest('.xb,a');
  if (b && b.hash) reveal(b.hash);
  if (!b || b.href) return;
  var open = b.getAttribute('aria-expanded') !== 'true';
  b.setAttribute('aria-expanded', open);
  b.closest('tr').nextElementSibling.classList.toggle('open', open);
});

all('[data-sev]').forEach(function (b) {
  b.onclick = function () {
    all('[data-sev]').forEach(function (other) { other.setAttribute('aria-pressed', other === b); });
    var shown = all('.fnd').filter(function (f) {
      f.hidden = b.dataset.sev !== 'all' && f.dataset.s !== b.dataset.sev;
      return !f.hidden;
    });
    say(shown.length + ' findings shown');
  };
});

// A link into something folded opens it, also once more; one to a finding that is filtered away brings it back.
function reveal(hash) {
  var id = hash && decodeURIComponent(hash.slice(1)), e = by(id), filter = D.querySelector('input[data-filter=t-register]');
  if (!e && filter && filter.value) {
    filter.value = '';
    filter.oninput();
    if ((e = by(id))) e.scrollIntoView();
  }
  if (e && e.hidden) D.querySelector('[data-sev=all]').click();
  for (var d = e && e.closest('details'); d; d = d.parentElement.closest('details')) d.open = true;
}
onhashchange = function () { reveal(location.hash); };
onhashchange();

var opened = [];
onbeforeprint = function () {
  opened = all(FOLDS + ':not([open])');
  opened.forEach(function (d) { d.open = true; });
};
onafterprint = function () { opened.forEach(function (d) { d.open = false; }); };

var links = {}, visible = {}, sections = all('main section[id]');
all('nav.toc a').forEach(function (a) { links[a.hash.slice(1)] = a; });
var watch = new IntersectionObserver(function (entries) {
  entries.forEach(function (e) { visible[e.target.id] = e.isIntersecting; });
  var first = sections.filter(function (s) { return visible[s.id] && links[s.id]; })[0];
  if (!first) return;
  all('nav.toc a[aria-current]').forEach(function (a) { a.removeAttribute('aria-current'); });
  links[first.id].setAttribute('aria-current', 'true');
}, {rootMargin: '-10% 0px -75% 0px'});
sections.forEach(function (s) { watch.observe(s); });
})();
