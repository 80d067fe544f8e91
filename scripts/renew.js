// Keeps a Worker alive after a trap: the next call gets a fresh wasm instance, and objects made before it are remade.
// The contract with wasm-bindgen (`__worker_init_state`, `__wbg_reset_state`) is that of worker-build 0.8.
Error.stackTraceLimit = 100;

/** Wraps a class so that its instances survive a reset of the wasm instance. */
export function renewing(exports, unwinds) {
  const state = exports.__worker_init_state();
  const note = (error) => {
    if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
  };
  const renew = () => {
    if (!state.criticalError) return;
    exports.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  };
  // With unwinding a panic is an exception of one call; only an abort poisons the instance.
  if (!unwinds) addEventListener("error", (event) => note(event.error));

  const guarded = (method) => new Proxy(method, {
    apply(target, self, args) {
      renew();
      try {
        const result = target.apply(self, args);
        return result instanceof Promise ? result.catch((error) => { note(error); throw error; }) : result;
      } catch (error) {
        note(error);
        throw error;
      }
    },
  });

  const made = (ctor, args, newTarget) => {
    const make = () => Reflect.construct(ctor, args, newTarget);
    if (!unwinds) renew();
    let instance = make();
    let generation = state.instanceId;
    const through = (name) => (_target, ...rest) => Reflect[name](instance, ...rest);
    const hooks = Object.fromEntries(["set", "has", "deleteProperty", "getPrototypeOf", "setPrototypeOf", "isExtensible", "getOwnPropertyDescriptor", "defineProperty", "ownKeys"]
      .map((name) => [name, through(name)]));
    return new Proxy(instance, {
      ...hooks,
      get(_target, property, receiver) {
        if (!unwinds) renew();
        if (generation !== state.instanceId) {
          instance = make();
          generation = state.instanceId;
        }
        const value = Reflect.get(instance, property, receiver);
        return !unwinds && typeof value === "function" ? guarded(value) : value;
      },
    });
  };

  return (ctor) => new Proxy(ctor, { construct: made });
}
