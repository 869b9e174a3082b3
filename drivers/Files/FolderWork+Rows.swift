import HubDriver
import HubModel

extension FolderWork {
    /// Works what a row says into the record.
    mutating func take(_ row: ReadRow, _ type: TypeDeclaration, _ file: InboundFile) throws {
        let known = try document(type.native, row.key)
        let living = known.flatMap { $0.isDeleted ? nil : $0 }
        var document = FolderDocument(
            native: type.native, key: row.key, reference: row.reference ?? known?.reference, stamp: 0, isDeleted: row.isDeletion,
            fields: (living?.fields ?? Fields()).overlaid(with: row.fields))
        let snapshot = type.mode == .snapshot ? file.number : nil
        // A snapshot mostly repeats what is known: only what differs is told.
        if let snapshot, let living, living.fields == document.fields, living.reference == document.reference {
            return try markSeen(living, in: snapshot)
        }
        if row.isDeletion, let known { document.fields = known.fields }
        _ = try put(document, members: row.fields, company: row.company, time: Instant(milliseconds: file.changed), snapshot: snapshot)
    }

    /// A document is gone.
    mutating func delete(_ document: FolderDocument, _ type: TypeDeclaration, time: Instant) throws {
        var gone = document
        gone.isDeleted = true
        _ = try put(gone, company: type.company(of: document), time: time)
    }
}

extension TypeDeclaration {
    /// The application's name of the company that a document belongs to.
    func company(of document: FolderDocument) -> String? { company.flatMap { document.fields[$0]?.text } }
}
