// Where a view fails, the rest stays.
import { Component, type ReactNode } from "react";
import { Fault } from "../ui/fault";

export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };
  static getDerivedStateFromError(error: unknown) { return { error }; }
  override render() {
    return this.state.error === null ? this.props.children : <Fault error={this.state.error} onRetry={() => location.reload()} />;
  }
}
