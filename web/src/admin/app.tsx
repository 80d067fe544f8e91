// Which view answers which path; each is loaded when it is first seen.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { asProblem } from "./api/problem";
import { ActProvider } from "./shell/act";
import { Boundary } from "./shell/boundary";
import { KeysProvider } from "./shell/keys";
import { Shell } from "./shell/shell";
import { Empty } from "./ui/fault";
import { Bones } from "./ui/loaded";

const Variants = lazy(() => import("./views/variants"));
const NewVariant = lazy(() => import("./views/new-variant"));
const VariantDetail = lazy(() => import("./views/variant"));
const Compare = lazy(() => import("./views/compare"));
const Approvals = lazy(() => import("./views/approvals"));
const Promotions = lazy(() => import("./views/promotions"));
const Alerts = lazy(() => import("./views/alerts"));
const Audit = lazy(() => import("./views/audit"));
const People = lazy(() => import("./views/people"));
const Safety = lazy(() => import("./views/safety"));
const Costs = lazy(() => import("./views/costs"));
const Providers = lazy(() => import("./views/providers"));
const DeadLetters = lazy(() => import("./views/dead-letters"));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // Away is said, not waited for in silence.
      networkMode: "always",
      retry: (failures, error) => failures < 2 && asProblem(error).isPassing,
      retryDelay: (attempt, error) => (asProblem(error).retryAfterS ?? 0.6 * 2 ** attempt) * 1_000,
    },
    mutations: { networkMode: "always", retry: false },
  },
});

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Router base="/admin">
        <KeysProvider><ActProvider><Shell><Views /></Shell></ActProvider></KeysProvider>
      </Router>
    </QueryClientProvider>
  );
}

function Views() {
  const [location] = useLocation();
  return (
    <Boundary key={location}>
      <Suspense fallback={<Bones lines={6} />}>
        <Switch>
          <Route path="/variants" component={Variants} />
          <Route path="/variants/new" component={NewVariant} />
          <Route path="/variants/:category/:id">{({ category, id }) => <VariantDetail key={`${category}/${id}`} category={decodeURIComponent(category)} id={decodeURIComponent(id)} />}</Route>
          <Route path="/compare" component={Compare} />
          <Route path="/approvals" component={Approvals} />
          <Route path="/promotions" component={Promotions} />
          <Route path="/alerts" component={Alerts} />
          <Route path="/audit" component={Audit} />
          <Route path="/people" component={People} />
          <Route path="/safety" component={Safety} />
          <Route path="/costs" component={Costs} />
          <Route path="/providers" component={Providers} />
          <Route path="/dead-letters" component={DeadLetters} />
          <Route path="/"><Redirect to="/variants" replace /></Route>
          <Route><Empty title="There is no such page">The menu has what there is.</Empty></Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}
