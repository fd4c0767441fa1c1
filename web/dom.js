// Elements, always by name and text: whatever a logger or a configuration calls itself becomes text and nothing else.
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

  // Sets the text only where it differs, so that nothing is selected away under a reader's hand.
  ft.write = function (node, text) {
    if (node.textContent !== text) node.textContent = text;
  };

  let said = 0;
  // For people who listen: the newest words only, because a cursor moves faster than a voice.
  ft.say = function (words) {
    clearTimeout(said);
    said = setTimeout(() => ft.write(document.getElementById("spoken"), words), 150);
  };

  ft.ink = function (name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  };

  // Once a frame, however often it is called.
  ft.eachFrame = function (act) {
    let waits = false;
    return function () {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
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

  ft.bytes = function (n) {
    if (n < 1000) return n + " B";
    for (const unit of ["kB", "MB", "GB"]) {
      n /= 1000;
      if (n < 1000 || unit === "GB") return (n < 10 ? n.toFixed(1) : n.toFixed(0)) + " " + unit;
    }
  };

  // An action of the reader; what it starts is measured from here.
  ft.button = function (text, act, props) {
    return ft.el("button", Object.assign({ type: "button", onclick: act, text }, props));
  };

  ft.empty = function (title, words, ...more) {
    return ft.el("div", { class: "empty" }, ft.el("strong", { text: title }), ft.el("p", { text: words }), ...more);
  };
})(window.fluxtower = window.fluxtower || {});
