// Makes elements only from names and text: the text of a logger or a configuration never becomes markup.
(function (ft) {
  "use strict";

  // props: "class", "text", "style" (an object), on… (listeners), true/false for bare attributes, else attributes.
  ft.el = function (tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "text") node.textContent = value;
      else if (key === "class") node.className = value;
      else if (key === "style") Object.assign(node.style, value);
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    ft.add(node, children);
    return node;
  };

  ft.add = function (node, children) {
    for (const child of children.flat()) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  };

  ft.fill = function (node, ...children) {
    node.replaceChildren();
    return ft.add(node, children);
  };

  // Sets the text only if it differs, so that the user's selection is kept.
  ft.write = function (node, text) {
    if (node.textContent !== text) node.textContent = text;
  };

  let speaking = 0;
  // For screen readers: only the newest text, because a cursor moves faster than speech.
  ft.say = function (text) {
    clearTimeout(speaking);
    speaking = setTimeout(() => ft.write(document.getElementById("spoken"), text), 150);
  };

  ft.ink = function (name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  };

  // At most once per frame, however often it is called.
  ft.eachFrame = function (act) {
    let scheduled = false;
    return function () {
      if (scheduled) return;
      scheduled = true;
      requestAnimationFrame(() => {
        scheduled = false;
        act();
      });
    };
  };

  ft.count = function (n, one, many) {
    return ft.grouped(n) + " " + (n === 1 ? one : many || one + "s");
  };

  ft.grouped = function (n) {
    return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
  };

  // Rounded down, so that only a complete share is 100 %; a share above 0 is never shown as 0.
  ft.percent = (share) => (share > 0 && share < 0.001 ? "< 0.1\u202f%" : `${(Math.floor(Math.min(1, share) * 1000 + 1e-9) / 10).toFixed(1)}\u202f%`);

  ft.bytes = function (n) {
    if (n < 1000) return n + " B";
    for (const unit of ["kB", "MB", "GB"]) {
      n /= 1000;
      if (n < 1000 || unit === "GB") return (n < 10 ? n.toFixed(1) : n.toFixed(0)) + " " + unit;
    }
  };

  // An action of the user; drawing times are measured from here.
  ft.button = function (text, act, props) {
    return ft.el("button", Object.assign({ type: "button", onclick: act, text }, props));
  };

  // Placed after the element whose text it copies.
  ft.copyButton = function (text) {
    const button = ft.button("copy", async () => {
      try {
        await navigator.clipboard.writeText(text);
        ft.write(button, "copied");
      } catch (_) {
        // A page from a file or over plain http may not write to the clipboard: the text is selected for the user to copy.
        const selection = getSelection();
        const range = document.createRange();
        range.selectNodeContents(button.previousSibling);
        selection.removeAllRanges();
        selection.addRange(range);
        ft.write(button, "selected");
      }
      setTimeout(() => ft.write(button, "copy"), 2e3);
    }, { class: "copy" });
    return button;
  };

  ft.empty = function (title, text, ...more) {
    return ft.el("div", { class: "empty" }, ft.el("strong", { text: title }), ft.el("p", { text }), ...more);
  };

  // A view without anything to show yet. It is made again after the station has changed.
  ft.emptyView = function (root, title, text) {
    ft.fill(root, ft.empty(title, text));
    return { isEmpty: true, update() {}, refresh() {}, destroy() {} };
  };
})(window.fluxtower = window.fluxtower || {});
