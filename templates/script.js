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

// ROWS

var SCALE = {kb: 1024, mb: 1048576, gb: 1073741824, tb: 1099511627776};

// A table that sorts, filters and grows. Its rows are those of the page, and where it is long those of its data block.
function grow(table) {
  var id = table.id, body = table.tBodies[0], heads = all('thead th', table), source = by('d-' + id);
  var input = D.querySelector('input[data-filter="' + id + '"]'), count = by(id + '-n');
  var more = D.querySelector('[data-more="' + id + '"]');
  var rows = all('tr:not(.x)', body).map(function (tr) {
    var next = tr.nextElementSibling;
    return {tr: tr, x: next && next.classList.contains('x') ? next : null};
  });
  if (rows.length && rows[0].tr.classList.contains('none')) return;
  var labels = heads.map(function (head) { return {text: head.textContent, numeric: head.classList.contains('n')}; });
  var data = null, known = [], hidden = {}, limit = STEP, orders = {}, order = null, column = -1, direction = 1;

  function load() {
    if (!source || data) return;
    names();
    data = JSON.parse(source.textContent);
    data.columns.forEach(function (c) { decode(c, data.rows, data.columns[0].cells); });
    for (var i = rows.length; i < data.rows; i++) rows.push({tr: null, x: null});
    known = [];
  }
  // What the cells of a column filter by, made once; and what they sort by, which of names is a place.
  function keys(c) {
    if (data && data.columns[c].k === 'q' && data.columns[c].plain) return data.columns[c].cells;
    return known[c] || (known[c] = rows.map(function (_, i) { return value(i, c); }));
  }
  function ranks(c) {
    var column = data && data.columns[c];
    if (column && column.ranks) return column.ranks;
    var names = column && column.k === 'n' && !column.cells.some(function (cell) { return cell && typeof cell === 'object'; });
    // NaN: not known.
    var list = (names ? column.cells.map(function (cell) { return cell === null ? null : pool.rank[cell]; }) : keys(c)).map(function (n) { return n === null ? NaN : n; });
    if (list.every(function (n) { return typeof n === 'number'; })) list = Float64Array.from(list);
    if (column) column.ranks = list;
    return list;
  }
  function value(i, c) {
    if (data) return key(data.columns[c].cells[i], data.columns[c]);
    var cell = rows[i].tr.cells[c], d = cell.querySelector('data');
    if (d) return parseFloat(d.value);
    return cell.querySelector('.na') ? null : cell.textContent.trim().toLowerCase();
  }
  function row(i) {
    var r = rows[i];
    if (r.tr) return r;
    r.tr = tr(i, data, labels);
    return r;
  }
  function terms() {
    // Also as this page writes numbers: size > 1,000 kB.
    return (input ? input.value : '').toLowerCase().replace(/\s*([<>]=?|=)\s*(?=-?\d)/g, '$1')
      .replace(/(\d),(?=\d{3})|(\d)\s+(?=[kmgt]b|%)/g, '$1$2').split(/\s+/).filter(Boolean).map(function (word) {
      var m = /^([^<>=]+)(>=|<=|=|>|<)(-?[\d.]+)(%|[kmgt]b)?$/.exec(word);
      var fit = labels.filter(function (l) { return m && l.text.toLowerCase().replace(/\s/g, '').startsWith(m[1]); });
      // Of two, the one with the unit.
      var c = labels.indexOf(fit.find(function (l) { return m[4] === '%' && l.text.includes('%'); }) || fit[0]);
      if (c < 0) return function (i) { return String(keys(0)[i]).indexOf(word) >= 0; };
      var n = parseFloat(m[3]) * (m[4] === '%' ? .01 : SCALE[m[4]] || 1);
      return function (i) {
        var v = keys(c)[i];
        if (typeof v !== 'number') return false;
        return {'>': v > n, '<': v < n, '=': v === n, '>=': v >= n, '<=': v <= n}[m[2]];
      };
    });
  }
  // The rows by a column, those of one value by their names; once each way.
  function sorted(c, turn) {
    var by = ranks(c), key = turn + ' ' + c;
    return orders[key] || (orders[key] = (c ? sorted(0, 1).slice() : Array.from(rows.keys())).sort(function (a, b) {
      var x = by[a], y = by[b];
      return x < y ? -turn : x > y ? turn : x === y ? 0 : x === x ? -1 : y === y ? 1 : a - b;
    }));
  }
  function render() {
    load();
    var tests = terms(), list = order || Array.from(rows.keys());
    list = list.filter(function (i) { return tests.every(function (t) { return t(i); }); });
    var parts = [];
    list.slice(0, limit).forEach(function (i) {
      var r = row(i);
      if (wasExact) show(r.tr);
      Object.keys(hidden).forEach(function (c) { r.tr.cells[c].hidden = hidden[c]; });
      parts.push(r.tr);
      if (r.x) parts.push(r.x);
    });
    body.replaceChildren.apply(body, parts);
    var shown = Math.min(limit, list.length), text = 'Showing ' + group(shown) + ' of ' + group(list.length) + (tests.length ? ', ' + group(rows.length) + ' in all' : '');
    if (count) count.textContent = text;
    say(text);
    if (more) more.hidden = shown === list.length;
  }
  function sort(c, head) {
    load();
    var numeric = head.classList.contains('n');
    direction = column === c ? -direction : numeric ? -1 : 1;
    column = c;
    heads.forEach(function (h) { h.removeAttribute('aria-sort'); });
    head.setAttribute('aria-sort', direction < 0 ? 'descending' : 'ascending');
    order = sorted(c, direction);
    render();
  }
  heads.forEach(function (head, c) {
    // The order in which the page has them.
    var sorted = head.getAttribute('aria-sort');
    if (sorted) {
      column = c;
      direction = sorted === 'descending' ? -1 : 1;
    }
    var b = make('button', '', head.textContent);
    head.replaceChildren(b);
    b.onclick = function () { sort(c, head); };
  });
  if (input) input.oninput = function () { limit = STEP; render(); };
  // Hidden columns are kept for the session, by their names, where the browser allows it.
  var boxes = all('input[data-t="' + id + '"]'), place = 'pgretro-' + id, away = [];
  function hide(box) {
    hidden[box.value] = heads[box.value].hidden = !box.checked;
    all('tfoot tr', table).forEach(function (tr) { tr.cells[box.value].hidden = !box.checked; });
    rows.forEach(function (r) { if (r.tr) r.tr.cells[box.value].hidden = !box.checked; });
  }
  try { away = JSON.parse(sessionStorage.getItem(place)) || []; } catch (e) {}
  boxes.forEach(function (box) {
    if (away.indexOf(heads[box.value].textContent) >= 0) {
      box.checked = false;
      hide(box);
    }
    box.onchange = function () {
      hide(box);
      away = boxes.filter(function (b) { return !b.checked; }).map(function (b) { return heads[b.value].textContent; });
      try { sessionStorage.setItem(place, JSON.stringify(away)); } catch (e) {}
    };
  });
  if (more && source) {
    // Read and sorted ahead, the first rows made.
    var next = 0, ahead = function () {
      load();
      sorted(next >> 1, next % 2 ? 1 : -1).slice(0, STEP).forEach(row);
      if (++next < 2 * heads.length) requestIdleCallback(ahead);
    };
    if (window.requestIdleCallback) requestIdleCallback(ahead);
    [['Show ' + STEP + ' more', STEP], ['Show all', Infinity]].forEach(function (step) {
      var b = make('button', 'btn', step[0]);
        b.onclick = function () { limit += step[1]; render(); };
      more.appendChild(b);
    });
  }
}
all('table[data-sort]').forEach(grow);

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
  var e = hash && by(decodeURIComponent(hash.slice(1)));
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
