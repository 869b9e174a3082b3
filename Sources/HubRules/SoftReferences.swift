package import HubModel
package import HubStore

/// Soft references that an application told and that had no link yet: kept as notes, completed when the link appears.
package enum SoftReferences {
    private static let waitingPrefix = "soft/"
    private static let readyPrefix = "soft-ready/"

    /// Remembers that a document left a reference out.
    package static func wait(
        for awaited: NativeReference, by document: NativeReference, in store: any StoreTransaction
    ) throws(StoreError) {
        try store.putNote(text(document), waitingPrefix + name(awaited) + name(document))
    }

    /// A document has been linked: what left it out may be completed.
    package static func linked(_ reference: NativeReference, in store: any StoreTransaction) throws(StoreError) {
        for note in try store.notes(waitingPrefix + name(reference)) {
            try store.putNote(nil, note.name)
            try store.putNote(note.text, readyPrefix + note.name)
        }
    }

    /// True where documents can be completed.
    package static func areReady(in store: any StoreTransaction) throws(StoreError) -> Bool {
        try !store.notes(readyPrefix).isEmpty
    }

    /// Takes up to `limit` documents that can be completed.
    package static func takeReady(limit: Int, in store: any StoreTransaction) throws(StoreError) -> [NativeReference] {
        var documents: [NativeReference] = []
        for note in try store.notes(readyPrefix).prefix(limit) {
            try store.putNote(nil, note.name)
            if let document = document(note.text), !documents.contains(document) { documents.append(document) }
        }
        return documents
    }

    private static func parts(_ reference: NativeReference) -> [String] {
        [reference.application.rawValue, reference.company.rawValue, reference.entity.rawValue, reference.key.rawValue]
    }

    /// A note's name must not run one part into the next, whatever a key holds.
    private static func name(_ reference: NativeReference) -> String {
        parts(reference).map { "\($0.utf8.count):\($0)/" }.joined()
    }

    private static func text(_ reference: NativeReference) -> String { parts(reference).joined(separator: "\n") }

    private static func document(_ text: String) -> NativeReference? {
        // The key comes last and may hold anything.
        let parts = text.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4 else { return nil }
        return NativeReference(ApplicationID(parts[0]), CompanyID(parts[1]), EntityName(parts[2]), NativeKey(parts[3]))
    }
}
