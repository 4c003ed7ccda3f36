// Dark or light as chosen, set before anything is drawn so that no page flashes.
// A classic script: modules run too late for that.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('respaldo.theme');
  } catch {
    // A browser that keeps nothing follows the system.
  }
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
})();
