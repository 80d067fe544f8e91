// The limit: what workerd costs that passes a request and its answer on, and reads neither.
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return fetch(env.LLM_BASE_URL + pathname, request);
  },
};
