// Opens the pages that tests/it/browser.rs wrote and does what a reader does. Prints what is wrong, one line each.
'use strict';
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');
const { chromium } = require('playwright-core');

const folder = process.argv[2];
const browserPath = process.argv[3];
const pictures = process.argv[4];
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const wrong = [];

function expect(what, good, more) {
  if (!good) wrong.push(what + (more === undefined ? '' : ': ' + JSON.stringify(more)));
}

// A page that must be silent: no console error, no request but for itself, no dialog.
async function open(browser, file, options) {
  const context = await browser.newContext(Object.assign({ viewport: { width: 1400, height: 900 } }, options));
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const url = pathToFileURL(path.join(folder, file)).href;
  const noise = [];
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') noise.push('console: ' + m.text()); });
  page.on('pageerror', (e) => noise.push('error: ' + e.message));
  page.on('dialog', (d) => { noise.push('dialog: ' + d.message()); d.dismiss(); });
  page.on('request', (r) => { if (r.url().split('#')[0] !== url) noise.push('request: ' + r.url()); });
  await page.goto(url);
  return {
    page,
    async close(name) {
      expect(name + ' is silent', noise.length === 0, noise.slice(0, 5));
      await context.close();
    },
  };
}

async function openEverything(page) {
  await page.evaluate(() => {
    document.querySelectorAll('details').forEach((d) => { if (!d.classList.contains('cols')) d.open = true; });
    Array.from(document.querySelectorAll('.xb')).slice(0, 5).forEach((b) => b.click());
  });
}

const numbers = (page, table, column) => page.evaluate(([t, c]) => {
  const rows = Array.from(document.getElementById(t).tBodies[0].rows).filter((r) => !r.classList.contains('x'));
  return rows.map((r) => { const d = r.cells[c].querySelector('data'); return d ? parseFloat(d.value) : null; });
}, [table, column]);

const column = (page, table, name) => page.evaluate(([t, n]) =>
  Array.from(document.getElementById(t).tHead.rows[0].cells).findIndex((c) => c.textContent.trim() === n), [table, name]);

// Links lead to what they name, whatever the reader has folded or filtered away before.
async function linked(page) {
  await page.evaluate(() => { location.hash = '#f-03'; });
  await page.waitForFunction(() => document.getElementById('f-03').open);
  await page.locator('#f-03 > summary').click();
  await page.locator('main a[href="#f-03"]:visible').first().click();
  expect('the same link opens it again', await page.locator('#f-03').evaluate((d) => d.open));

  const other = await page.evaluate(() => Array.from(document.querySelectorAll('.fnd')).find((f) => f.dataset.s !== 'low').id);
  await page.locator('[data-sev="low"]').click();
  expect('a finding is filtered away', await page.locator('#' + other).isHidden());
  await page.locator(`main a[href="#${other}"]:visible`).first().click();
  const top = await page.locator('#' + other).evaluate((d) => d.getBoundingClientRect().top);
  expect('a link brings it back', await page.locator('[data-sev="all"]').getAttribute('aria-pressed') === 'true' && top >= 50 && top < 100, top);

  // What the contents lead to stands under the bar and is the one that is marked there.
  for (const id of ['actions', 'overview', 'tables', 'vacuum']) {
    await page.locator(`nav.toc a[href="#${id}"]`).click();
    await page.waitForFunction((id) => document.querySelector('nav.toc a[aria-current]').hash === '#' + id, id, { timeout: 2000 })
      .catch(() => wrong.push('the contents do not mark ' + id));
    const place = await page.evaluate((id) => document.getElementById(id).getBoundingClientRect().top, id);
    expect(id + ' stands under the bar', place >= 50 && place < 100, place);
  }
}

async function reader(browser) {
  const { page, close } = await open(browser, 'shop.html');
  // Sorting: the page says how it came; the column that orders it turns round, another begins with its largest number.
  const largest = (list) => list.length > 5 && list.every((v, i) => i === 0 || list[i - 1] >= v);
  const size = await column(page, 't-tables', 'Size with indexes');
  const head = page.locator('#t-tables thead th').nth(size);
  let values = (await numbers(page, 't-tables', size)).filter((v) => v !== null);
  expect('the page says how it is sorted', await head.getAttribute('aria-sort') === 'descending' && largest(values), values.slice(0, 6));
  const arrow = () => head.evaluate((th) => getComputedStyle(th.querySelector('button'), '::after').content);
  expect('with an arrow', (await arrow()).includes('▼'), await arrow());
  await head.locator('button').click();
  values = (await numbers(page, 't-tables', size)).filter((v) => v !== null);
  expect('the smallest first', values.every((v, i) => i === 0 || values[i - 1] <= v), values.slice(0, 6));
  expect('sorting says so', await head.getAttribute('aria-sort') === 'ascending' && (await arrow()).includes('▲'));
  const scans = await column(page, 't-tables', 'Seq scans');
  await page.locator('#t-tables thead th').nth(scans).locator('button').click();
  values = (await numbers(page, 't-tables', scans)).filter((v) => v !== null);
  expect('the largest first', largest(values), values.slice(0, 6));
  expect('one column alone is marked', await page.locator('#t-tables thead th[aria-sort]').count() === 1);

  // Filtering by a number and by a name.
  const dead = await column(page, 't-tables', 'Dead rows');
  const before = (await numbers(page, 't-tables', dead)).length;
  const filter = page.locator('input[data-filter="t-tables"]');
  await filter.fill('dead>1000');
  values = await numbers(page, 't-tables', dead);
  expect('dead>1000 keeps those rows', values.length > 0 && values.length < before && values.every((v) => v > 1000), values);
  expect('the number of rows is told', (await page.locator('#t-tables-n').textContent()).includes(String(values.length)));
  expect('and that of all', / of \d+, \d+ in all$/.test(await page.locator('#t-tables-n').textContent()), await page.locator('#t-tables-n').textContent());
  // Also as people and the page itself write numbers; a share asks the column of shares.
  const kept = async (words) => { await filter.fill(words); return page.locator('#t-tables tbody tr:not(.x)').count(); };
  for (const words of ['dead > 1000', 'dead>1,000', 'dead > 1,000']) expect(words, await kept(words) === values.length);
  expect('a blank before the unit', await kept('size > 100 kB') === await kept('size>100kb') && await kept('size>100kb') > 0);
  const share = await column(page, 't-tables', 'Dead rows, % of all');
  await filter.fill('dead>10%');
  const shares = await numbers(page, 't-tables', share);
  expect('dead>10% is of the share', shares.length < before && shares.every((v) => v > .1), shares);
  expect('a column of two words', await kept('dead rows>1000') === values.length && await kept('dead rows > 1k') === values.length);
  expect('a name before a column', await kept('orders dead rows>1000') <= values.length);
  expect('what is not understood is said', await kept('foo>3') === 0
    && (await page.locator('#t-tables-n').textContent()).includes('Not understood: foo>3. Columns of numbers: '));
  await filter.fill('orders');
  const names = await page.locator('#t-tables tbody tr:not(.x) th').allTextContents();
  expect('a word keeps names with it', names.length > 0 && names.every((n) => n.includes('orders')), names);
  const register = page.locator('input[data-filter="t-register"]'), entries = () => page.locator('#t-register tbody tr').count();
  const every = await entries();
  await register.fill('pg_settings');
  expect('the register can be filtered', await entries() > 0 && await entries() < every, [await entries(), every]);
  await page.evaluate(() => { const a = document.createElement('a'); a.href = '#e1'; document.querySelector('main').append(a); a.click(); a.remove(); });
  expect('a link to an entry brings it back', await entries() === every && await page.locator('#e1').isVisible());
  await filter.fill('');
  expect('an empty filter keeps all', (await numbers(page, 't-tables', dead)).length === before);

  // Columns.
  const box = page.locator('input[data-t="t-tables"]').first();
  const hidden = Number(await box.getAttribute('value'));
  await page.locator('details.cols:has(input[data-t="t-tables"]) > summary').click();
  await box.uncheck();
  const visible = await page.locator('#t-tables tbody tr:not(.x)').first().locator('th,td').nth(hidden).isVisible();
  expect('a column can be hidden', !visible && !(await page.locator('#t-tables thead th').nth(hidden).isVisible()));
  await box.check();
  await page.keyboard.press('Escape');
  expect('Escape closes the menu of columns, back at its button', !(await box.isVisible())
    && await page.evaluate(() => document.activeElement.parentElement.matches('details.cols')));

  // A row that unfolds.
  const chevron = page.locator('#t-tables .xb').first();
  await chevron.click();
  expect('a row unfolds', await chevron.getAttribute('aria-expanded') === 'true'
    && await page.locator('#t-tables tr.x.open').first().isVisible());
  await chevron.click();
  expect('and folds', (await page.locator('#t-tables tr.x.open').count()) === 0);

  // Exact numbers and back.
  const text = () => page.locator('#t-tables tbody data[title]').first().textContent();
  const short = await text();
  const title = await page.locator('#t-tables tbody data[title]').first().getAttribute('title');
  await page.locator('#exact').click();
  expect('exact numbers are shown', await text() === title, [short, title]);
  const wide = await page.evaluate(() => innerWidth < 1240 ? [] : Array.from(document.querySelectorAll('.tw'))
    .filter((t) => t.scrollWidth > t.clientWidth + 1).map((t) => t.querySelector('table').id));
  expect('exact numbers fit into their tables', wide.length === 0, wide);
  await page.locator('#exact').click();
  expect('and short ones again', await text() === short);

  // Copying a statement.
  await page.evaluate(() => { window.copied = []; document.addEventListener('copy', () => window.copied.push(String(getSelection()) || document.activeElement.value)); });
  const block = page.locator('details.fnd[open] .sql').first();
  await block.locator('[data-copy]').click();
  await page.waitForFunction(() => document.getElementById('live').textContent.includes('Copied'));
  expect('copying is told', (await block.locator('[data-copy]').textContent()) === 'Copied');
  const pasted = await page.evaluate(() => navigator.clipboard ? navigator.clipboard.readText().catch(() => null) : null);
  const sql = await block.locator('pre').textContent();
  if (pasted !== null) expect('the statement is in the clipboard', pasted === sql, [pasted, sql]);

  // Theme.
  const theme = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await theme();
  await page.locator('#theme').click();
  expect('the theme changes', (await theme()) !== light && (await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark');
  await page.locator('#theme').click();
  expect('and back', (await theme()) === light);

  // Severities, expand all.
  await page.locator('[data-sev="low"]').click();
  const shown = await page.evaluate(() => Array.from(document.querySelectorAll('.fnd')).filter((f) => !f.hidden).map((f) => f.dataset.s));
  expect('one severity alone', shown.length > 0 && shown.every((s) => s === 'low'), shown);
  await page.locator('[data-sev="all"]').click();
  await page.locator('#expand').click();
  expect('everything expands', await page.evaluate(() => Array.from(document.querySelectorAll('main details.fnd')).every((d) => d.open)));

  expect('what is folded inside too', await page.locator('main details:not([open]):not(.cols):not(.mnav)').count() === 0);
  await page.locator('#expand').click();

  await linked(page);

  // Print: all that is folded opens, and folds again.
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  expect('it prints', pdf.length > 50000, pdf.length);
  const pages = (pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) || []).length;
  expect('on a sensible number of pages', pages > 5 && pages < 80, pages);
  if (pictures) fs.writeFileSync(path.join(folder, 'shop.pdf'), pdf);
  await close('shop.html');
}

async function longTable(browser) {
  const { page, close } = await open(browser, 'long.html');
  const rows = () => page.evaluate(() => document.getElementById('t-indexes').tBodies[0].rows.length);
  expect('the first 50 rows are in the page', await rows() === 50, await rows());
  await page.locator('[data-more="t-indexes"] button').first().click();
  expect('50 more', await rows() === 100, await rows());
  await page.locator('[data-more="t-indexes"] button').nth(1).click();
  expect('all rows', await rows() === 400, await rows());
  await page.locator('input[data-filter="t-indexes"]').fill('index_00399');
  expect('the filter sees all rows', await rows() === 1, await rows());
  await close('long.html');
}

// The script makes of values what the renderer makes of them: rows 51 to 100 are rows 1 to 50 again.
async function sameRows(browser) {
  const { page, close } = await open(browser, 'twice.html');
  await page.locator('[data-more="t-indexes"] button').nth(1).click();
  const differences = () => page.evaluate(() => {
    const rows = Array.from(document.getElementById('t-indexes').tBodies[0].rows);
    const seen = (cell) => JSON.stringify([cell.className, cell.dataset.l, cell.textContent.trim(),
      Array.from(cell.querySelectorAll('[title],[aria-label]')).map((e) => [e.title, e.getAttribute('aria-label')]),
      Array.from(cell.querySelectorAll('a')).map((a) => a.getAttribute('href')),
      Array.from(cell.querySelectorAll('svg *')).map((e) => e.tagName + '.' + e.getAttribute('class') + '.' + (e.getAttribute('points') || '').split(' ').length)]);
    const near = (a, b) => Math.abs(a - b) <= 1e-8 * Math.max(1, Math.abs(a));
    const values = (cell) => Array.from(cell.querySelectorAll('data')).map((d) => Number(d.value));
    const out = [];
    for (let i = 0; i < 50; i++) {
      Array.from(rows[i].cells).forEach((cell, c) => {
        const other = rows[i + 50].cells[c];
        if (seen(cell) !== seen(other)) out.push([seen(cell), seen(other)]);
        const [a, b] = [values(cell), values(other)];
        if (a.length !== b.length || a.some((v, k) => !near(v, b[k]))) out.push([a, b]);
      });
    }
    return { rows: rows.length, cells: rows[0].cells.length, out };
  });
  let found = await differences();
  expect('both halves are there', found.rows === 100 && found.cells > 50, found);
  expect('the script writes numbers as the renderer', found.out.length === 0, [found.out.length, found.out.slice(0, 4)]);
  await page.locator('#exact').click();
  found = await differences();
  expect('exact ones too', found.out.length === 0, [found.out.length, found.out.slice(0, 4)]);
  await close('twice.html');
}

async function accessible(browser, file, width, scheme) {
  const name = `${file} at ${width}, ${scheme}`;
  const { page, close } = await open(browser, file, { viewport: { width, height: 900 }, colorScheme: scheme });
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(name + ' does not scroll sideways', await sideways() <= 0, await sideways());
  await openEverything(page);
  expect(name + ' does not scroll sideways when open', await sideways() <= 0, await sideways());
  // As if all had been scrolled to: sizes of what was not laid out yet are guesses.
  await page.evaluate(() => document.querySelectorAll('section').forEach((s) => { s.style.contentVisibility = 'visible'; }));
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    resultTypes: ['violations'],
  }));
  for (const v of result.violations) {
    const where = v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(' | ');
    wrong.push(`${name}: axe ${v.id}, ${v.nodes.length} nodes: ${where}`);
  }
  await close(name);
}

// Slope charts have a form for every width, in which their words can be read.
async function slopes(browser) {
  for (const width of [1400, 1000, 400]) {
    const { page, close } = await open(browser, 'shop.html', { viewport: { width, height: 900 } });
    await page.evaluate(() => document.querySelector('.sc').scrollIntoView());
    await page.waitForTimeout(100);
    const seen = await page.evaluate(() => Array.from(document.querySelectorAll('.sc')).map((panel) => {
      const charts = Array.from(panel.querySelectorAll('svg')).filter((s) => s.getBoundingClientRect().width > 0);
      const edge = panel.getBoundingClientRect();
      const words = charts.flatMap((s) => Array.from(s.querySelectorAll('text')));
      return {
        charts: charts.length,
        out: words.filter((t) => { const r = t.getBoundingClientRect(); return r.left < edge.left || r.right > edge.right; }).map((t) => t.textContent),
        smallest: Math.min(...words.map((t) => t.getBoundingClientRect().height)),
      };
    }));
    expect(`slope charts fit at ${width}`, seen.length > 0 && seen.every((s) => s.charts === 1 && s.out.length === 0 && s.smallest >= 11), seen);
    await close('slope charts');
  }
}

// What is wider than paper shrinks all pages, so nothing is.
async function paper(browser) {
  for (const file of ['shop.html', 'one.html', 'long.html']) {
    // A4 without its margins.
    const { page, close } = await open(browser, file, { viewport: { width: 695, height: 1000 } });
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
    const wide = await page.evaluate(() => Array.from(document.querySelectorAll('main .tw > table, main .panel'))
      .filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => (e.id || e.className) + ' ' + e.scrollWidth));
    expect(file + ' fits on paper', wide.length === 0, wide);
    await close(file + ' on paper');
  }
}

// On the screens of laptops no table needs to be pushed sideways; numbers stand one below the other, whatever is beside them.
async function columns(browser) {
  for (const file of ['shop.html', 'one.html', 'long.html']) {
    for (const width of [1400, 1280]) {
      const { page, close } = await open(browser, file, { viewport: { width, height: 900 } });
      await openEverything(page);
      const { wide, ragged } = await page.evaluate(() => {
        const wide = [], ragged = [];
        document.querySelectorAll('main .tw').forEach((box) => {
          const table = box.querySelector('table');
          if (box.scrollWidth > box.clientWidth + 1) wide.push(table.id + ' ' + (box.scrollWidth - box.clientWidth));
          Array.from(table.tHead ? table.tHead.rows[0].cells : []).forEach((head, at) => {
            const cells = Array.from(table.tBodies[0].rows).map((r) => r.cells[at]).filter(Boolean);
            if (!cells.some((c) => c.querySelector('.d'))) return;
            const ends = cells.map((c) => c.querySelector(':scope > data')).filter(Boolean).map((d) => d.getBoundingClientRect().right);
            if (Math.max(...ends) - Math.min(...ends) > 1) ragged.push(table.id + ', ' + head.textContent);
          });
        });
        return { wide, ragged };
      });
      expect(`tables of ${file} fit at ${width}`, wide.length === 0, wide);
      expect(`numbers of ${file} stand one below the other at ${width}`, ragged.length === 0, ragged);
      await close('columns');
    }
  }
}

// On a phone three columns are seen at once.
async function few(browser) {
  const { page, close } = await open(browser, 'shop.html', { viewport: { width: 400, height: 900 } });
  await openEverything(page);
  const seen = await page.evaluate(() => Array.from(document.querySelectorAll('main .tw'))
    .filter((box) => box.querySelectorAll('thead tr:first-child th').length <= 3)
    .map((box) => [box.querySelector('table').id, box.scrollWidth - box.clientWidth]));
  // A label that is longer than its value makes the line higher.
  const one = await open(browser, 'one.html', { viewport: { width: 400, height: 900 } });
  const low = await one.page.evaluate(() => Array.from(document.querySelectorAll('#t-indexes td[data-l]')).filter((td) => {
    const lines = Math.ceil(td.dataset.l.length / 18);
    return lines > 1 && td.getBoundingClientRect().height < lines * 14;
  }).map((td) => td.dataset.l));
  expect('labels on a phone have their room', low.length === 0, low.slice(0, 3));
  await one.close('labels');
  expect('tables of three columns fit a phone', seen.length > 2 && seen.every(([, over]) => over <= 1), seen);
  await close('few columns');
}

async function withoutScript(browser) {
  const { page, close } = await open(browser, 'shop.html', { javaScriptEnabled: false });
  expect('the verdict is there without script', await page.locator('h1').isVisible());
  expect('tables are there', (await page.locator('#t-tables tbody tr').count()) > 10);
  expect('controls that need script are not', !(await page.locator('#exact').isVisible()));
  await close('shop.html without script');
}

async function hostile(browser) {
  const { page, close } = await open(browser, 'hostile.html');
  await openEverything(page);
  await page.locator('#exact').click();
  await page.locator('#expand').click();
  for (const head of await page.locator('#t-tables thead th button').all()) await head.click();
  await page.locator('input[data-filter="t-tables"]').first().fill('<img');
  await page.mouse.move(300, 300);
  await page.evaluate(() => document.querySelectorAll('a,th,td,span,code').forEach((e) => {
    e.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
  }));
  const links = await page.evaluate(() => Array.from(document.querySelectorAll('a')).map((a) => a.getAttribute('href')).filter((h) => !h.startsWith('#')));
  expect('links stay in the page', links.length === 0, links.slice(0, 3));
  expect('nothing of the dump ran', await page.evaluate(() => window.pwned === undefined));
  const odd = await page.evaluate(() => Array.from(document.querySelectorAll('*')).filter((e) =>
    Array.from(e.attributes).some((a) => a.name.startsWith('on') || a.name === 'style' || a.name === 'src')).map((e) => e.outerHTML.slice(0, 80)));
  expect('no attribute of the dump', odd.length === 0, odd.slice(0, 3));
  await close('hostile.html');
}

// Pictures for the README.
async function photograph(browser) {
  const shots = [['light', 1400, 900, 'light'], ['dark', 1400, 900, 'dark'], ['narrow', 400, 860, 'light']];
  for (const [name, width, height, scheme] of shots) {
    const { page, close } = await open(browser, 'shop.html', { viewport: { width, height }, colorScheme: scheme });
    await page.screenshot({ path: path.join(pictures, `report-${name}.png`) });
    if (name === 'light') {
      await page.evaluate(() => document.getElementById('findings').scrollIntoView());
      await page.screenshot({ path: path.join(pictures, 'report-finding.png') });
    }
    await close(name);
  }
}

(async () => {
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  const all = [[1400, 'light'], [1400, 'dark'], [400, 'light'], [400, 'dark']];
  const steps = [reader, longTable, sameRows, slopes, paper, columns, few, withoutScript, hostile];
  for (const look of all) steps.push((b) => accessible(b, 'shop.html', ...look));
  for (const look of [all[0], all[3]]) steps.push((b) => accessible(b, 'one.html', ...look));
  if (pictures) steps.push(photograph);
  for (const step of steps) {
    try {
      await step(browser);
    } catch (e) {
      wrong.push(`${step.name || 'a step'} broke off: ${e.message.split('\n').slice(0, 3).join(' ')}`);
    }
  }
  await browser.close();
  wrong.forEach((w) => console.log(w));
  process.exit(wrong.length ? 1 : 0);
})();
