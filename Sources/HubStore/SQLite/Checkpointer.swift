import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import HubModel
import Synchronization

/// Brings the write-ahead log back into the database file, on a thread and a connection of its own: what SQLite does in the middle of
/// somebody's commit takes longer than the commit.
///
/// SQLite begins the log anew only when all of it has been brought back and nobody writes meanwhile, which never happens beside a busy
/// writer. So the writer finishes the rest itself once the log has become long; most of that has been done here by then.
final class Checkpointer: Sendable {
    /// Pages in the log from which on they are brought back beside the writer.
    static let early: Int32 = 2_000
    /// Pages in the log at which the writer stops and brings back the rest.
    static let late: Int32 = 12_000

    private let path: String
    private let isWanted = DispatchSemaphore(value: 0)
    private let isBusy = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    init(path: String) { self.path = path }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "checkpoint"
        thread.start()
    }

    /// Asks for one pass, unless one is being made.
    func ask() {
        if isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged { isWanted.signal() }
    }

    /// Ends the thread, after the pass that is being made.
    func close() {
        isClosed.store(true, ordering: .releasing)
        isWanted.signal()
        ended.wait()
    }

    private func run() {
        var configuration = Configuration()
        configuration.label = "checkpoint"
        guard let database = try? DatabaseQueue(path: path, configuration: configuration) else { return }
        while true {
            isWanted.wait()
            if isClosed.load(ordering: .acquiring) { break }
            // A pass that fails (a full disk) is made by a later one or by the writer; nothing is lost from the log.
            _ = try? database.inDatabase { try $0.checkpoint(.passive) }
            isBusy.store(false, ordering: .releasing)
        }
        try? database.close()
    }
}
