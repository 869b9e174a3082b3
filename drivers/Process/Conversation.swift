import HubModel
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The pipes of one process, as its thread uses them: nothing blocks but the waiting itself.
struct Conversation: ~Copyable {
    private var child: ChildProcess
    private var lines: LineBuffer
    private var errors: LineBuffer
    private var isOutputOpen = true
    private var isInputOpen = true
    /// When one of them was found closed.
    private var closedSince: ContinuousClock.Instant?
    private var areErrorsOpen = true
    /// A line on standard error that was too long: its rest is dropped.
    private var isSkipping = false
    /// Lines that may still reach the log in this minute.
    private var mayLog: Int
    private var minute = ContinuousClock.now
    private var leftOut = 0
    /// The last lines on standard error.
    private(set) var lastWords: [String] = []
    private let launch: Launch
    private let logger: Logger
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(child: consuming ChildProcess, launch: Launch, logger: Logger) {
        self.child = child
        self.launch = launch
        self.logger = logger
        lines = LineBuffer(limit: launch.bounds.lineBytes)
        errors = LineBuffer(limit: launch.bounds.errorLineBytes)
        mayLog = launch.bounds.errorLines
    }

    /// Waits for something to happen, and takes what has come.
    mutating func wait(_ wake: borrowing WakePipe, milliseconds: Int, forWriting: Bool) {
        var requests = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
        // A pipe that has ended would end every wait at once.
        requests.append(pollfd(fd: isOutputOpen ? child.output : -1, events: Int16(POLLIN), revents: 0))
        requests.append(pollfd(fd: areErrorsOpen ? child.errors : -1, events: Int16(POLLIN), revents: 0))
        requests.append(pollfd(fd: forWriting && isInputOpen ? child.input : -1, events: Int16(POLLOUT), revents: 0))
        // Without its output it is about to end; that is not signalled.
        let patience = isOutputOpen && isInputOpen ? milliseconds : min(milliseconds, 20)
        guard poll(&requests, nfds_t(requests.count), Int32(patience)) > 0 else { return }
        if requests[0].revents != 0 { wake.drain() }
        if requests[1].revents != 0 { readOutput() }
        if requests[2].revents != 0 { readErrors() }
        if requests[3].revents & Int16(POLLERR) != 0 { isInputOpen = false }
        if !isInputOpen || !isOutputOpen, closedSince == nil { closedSince = .now }
    }

    /// `input` or `output` where the process has closed it and lives on for a while.
    var closedPipe: String? {
        guard let closedSince, closedSince.duration(to: .now) > .milliseconds(500) else { return nil }
        return isInputOpen ? "output" : "input"
    }

    private mutating func readOutput() {
        // Bounded, so that a process that writes without end does not keep its calls from expiring.
        for _ in 0..<16 where !lines.isTooLong {
            let count = read(child.output, &buffer, buffer.count)
            if count > 0 {
                lines.append(buffer[..<count])
            } else {
                if count == 0 || (errno != EAGAIN && errno != EINTR) { isOutputOpen = false }
                return
            }
        }
    }

    /// The next line of its standard output.
    mutating func nextLine() -> [UInt8]? {
        if let line = lines.line() { return line }
        // What comes before the end without a line break was never finished.
        return nil
    }

    var isTooLong: Bool { lines.isTooLong }

    /// How the process ended; nil while it runs.
    mutating func ended() -> String? {
        // Answers and complaints that it wrote before its end are read first.
        guard let ending = child.ended() else { return nil }
        if isOutputOpen {
            readOutput()
            if lines.isTooLong || isOutputOpen && hasInput(child.output) { return nil }
        }
        if areErrorsOpen { readErrors() }
        return lines.hasLine ? nil : ending
    }

    private func hasInput(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0 && request.revents & Int16(POLLIN) != 0
    }

    /// Writes as much as the pipe takes.
    /// - Returns: bytes written; nil where it takes none now.
    func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = bytes.withUnsafeBytes { buffer in
            buffer.baseAddress.map { systemWrite(child.input, $0, buffer.count) } ?? 0
        }
        return count > 0 ? count : nil
    }

    // MARK: Standard error

    private mutating func readErrors() {
        for _ in 0..<16 {
            let count = read(child.errors, &buffer, buffer.count)
            guard count > 0 else {
                if count == 0 || (errno != EAGAIN && errno != EINTR) {
                    areErrorsOpen = false
                    let rest = errors.rest()
                    if !rest.isEmpty, !isSkipping { log(rest) }
                }
                return
            }
            errors.append(buffer[..<count])
            while let line = errors.line() {
                if isSkipping { isSkipping = false } else { log(line) }
            }
            guard errors.isTooLong else { continue }
            let begun = errors.rest()
            if !isSkipping { log(begun) }
            isSkipping = true
        }
    }

    private mutating func log(_ line: [UInt8]) {
        let text = excerpt(line, launch.bounds.errorLineBytes)
        if text.allSatisfy(\.isWhitespace) { return }
        lastWords.append(excerpt(text.utf8, 300))
        if lastWords.count > 3 { lastWords.removeFirst() }
        let now = ContinuousClock.now
        if minute.duration(to: now) >= .seconds(60) {
            if leftOut > 0 { logger.warning("\(leftOut) lines of the driver's process of \(launch.application) were left out") }
            minute = now
            mayLog = launch.bounds.errorLines
            leftOut = 0
        }
        guard mayLog > 0 else {
            leftOut += 1
            return
        }
        mayLog -= 1
        logger.notice("\(launch.application): \(text)")
    }

    // MARK: The end

    /// Ends the process and waits until it has ended: by the end of its input, then SIGTERM, then SIGKILL.
    ///
    /// - Parameter isAtOnce: it has broken the protocol; its end is not waited for before SIGTERM.
    mutating func finish(isAtOnce: Bool) {
        child.closeInput()
        let steps: [(signal: Int32?, patience: Duration)] = [
            (nil, isAtOnce ? .zero : launch.bounds.grace), (SIGTERM, launch.bounds.grace), (SIGKILL, .seconds(60)),
        ]
        for (signal, patience) in steps {
            if let signal { child.signal(signal) }
            let deadline = ContinuousClock.now + patience
            repeat {
                if child.ended() != nil { return }
                // A process that is ending must not be held up by a full pipe.
                var requests = [child.output, child.errors].enumerated().map { place, descriptor in
                    pollfd(fd: (place == 0 ? isOutputOpen : areErrorsOpen) ? descriptor : -1, events: Int16(POLLIN), revents: 0)
                }
                _ = poll(&requests, nfds_t(requests.count), 10)
                if requests[0].revents != 0 {
                    readOutput()
                    _ = lines.rest()
                }
                if requests[1].revents != 0 { readErrors() }
            } while ContinuousClock.now < deadline
        }
    }
}

/// The function of the C library, which a method of the same name would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, bytes, count) }
