// What browsers have and TypeScript's own declarations lack: trusted types, the Navigation API.

interface TrustedScriptURL {
  readonly __trusted: unique symbol;
}
interface TrustedTypePolicy {
  createScriptURL(url: string): TrustedScriptURL;
}
interface TrustedTypePolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): TrustedTypePolicy;
}
declare var trustedTypes: TrustedTypePolicyFactory | undefined;

interface FileSystemHandle {
  remove(): Promise<void>;
}
interface FileSystemFileHandle {
  createSyncAccessHandle(options: {
    mode: "readwrite-unsafe";
  }): Promise<FileSystemSyncAccessHandle>;
}
interface FileSystemSyncAccessHandle {
  readonly mode?: string;
}
declare function showSaveFilePicker(wish: {
  suggestedName: string;
}): Promise<FileSystemFileHandle>;
declare function showDirectoryPicker(wish: {
  mode: "readwrite";
}): Promise<FileSystemDirectoryHandle>;

interface NavigateEvent extends Event {
  readonly destination: { readonly url: string; readonly sameDocument: boolean };
  readonly downloadRequest: string | null;
  readonly navigationType: "push" | "reload" | "replace" | "traverse";
}
interface Navigation extends EventTarget {
  addEventListener(
    type: "navigate",
    listener: (event: NavigateEvent) => void,
    options?: AddEventListenerOptions,
  ): void;
  addEventListener(type: "currententrychange", listener: () => void): void;
}
interface Window {
  readonly navigation?: Navigation;
}
