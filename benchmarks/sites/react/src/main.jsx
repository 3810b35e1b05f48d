// A tracker for tickets: routes by pushState, controlled fields, a dialog, lists that change. Its data lives in the page.
import React, { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

const FIRST = [
  { id: 101, title: "Printer is on fire", priority: "high", open: true, notes: [] },
  { id: 102, title: "Coffee machine is slow", priority: "low", open: true, notes: [] },
  { id: 103, title: "Door does not lock", priority: "normal", open: false, notes: [] },
];

function go(path) {
  history.pushState({}, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

function Link({ to, children, ...rest }) {
  const follow = (event) => {
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} {...rest}>{children}</a>;
}

function Tickets({ tickets }) {
  const [text, setText] = useState("");
  const [closed, setClosed] = useState(false);
  const [priority, setPriority] = useState("any");
  const shown = tickets.filter(
    (one) =>
      one.title.toLowerCase().includes(text.toLowerCase()) && (closed || one.open) && (priority === "any" || one.priority === priority),
  );
  return (
    <main>
      <h1>Tickets</h1>
      <label>Filter <input type="search" value={text} onChange={(event) => setText(event.target.value)} /></label>
      <label><input type="checkbox" checked={closed} onChange={(event) => setClosed(event.target.checked)} /> Closed ones too</label>
      <select aria-label="Priority" value={priority} onChange={(event) => setPriority(event.target.value)}>
        <option value="any">Any</option><option value="low">Low</option><option value="normal">Normal</option><option value="high">High</option>
      </select>
      <ul>{shown.map((one) => <li key={one.id}><Link to={`/tickets/${one.id}`}>{one.title}</Link></li>)}</ul>
      <p role="status">{shown.length} shown</p>
    </main>
  );
}

function Ticket({ ticket, change }) {
  const [note, setNote] = useState("");
  const [asking, setAsking] = useState(false);
  if (!ticket) return <main><h1>No such ticket</h1></main>;
  const add = (event) => {
    event.preventDefault();
    change({ ...ticket, notes: [...ticket.notes, note] });
    setNote("");
  };
  return (
    <main>
      <h1>{ticket.title}</h1>
      <p>{ticket.open ? "Open" : "Closed"}</p>
      <form onSubmit={add}>
        <label>Note <input value={note} onChange={(event) => setNote(event.target.value)} /></label>
        <button>Add note</button>
      </form>
      <ul>{ticket.notes.map((one, place) => <li key={place}>Note {place + 1}</li>)}</ul>
      <div className="action" data-testid="toggle" onClick={() => setAsking(true)}><span>{ticket.open ? "Close it" : "Open it"}</span></div>
      {asking && (
        <div role="dialog" aria-label="Are you sure?">
          <button onClick={() => { change({ ...ticket, open: !ticket.open }); setAsking(false); }}>Yes</button>
          <button onClick={() => setAsking(false)}>No</button>
        </div>
      )}
    </main>
  );
}

function Fresh({ make }) {
  const [title, setTitle] = useState("");
  const [priority, setPriority] = useState("normal");
  const save = (event) => {
    event.preventDefault();
    go(`/tickets/${make({ title, priority, open: true, notes: [] })}`);
  };
  return (
    <main>
      <h1>New ticket</h1>
      <form onSubmit={save}>
        <label>Title <input required value={title} onChange={(event) => setTitle(event.target.value)} /></label>
        <fieldset><legend>Priority</legend>{["low", "normal", "high"].map((one) => (
          <label key={one}><input type="radio" name="priority" checked={priority === one} onChange={() => setPriority(one)} /> {one}</label>
        ))}</fieldset>
        <button>Save ticket</button>
      </form>
    </main>
  );
}

function App() {
  const [path, setPath] = useState(location.pathname);
  const [tickets, setTickets] = useState(FIRST);
  useEffect(() => {
    const follow = () => setPath(location.pathname);
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  const id = Number(path.match(/^\/tickets\/(\d+)$/)?.[1]);
  const change = (ticket) => setTickets(tickets.map((one) => (one.id === ticket.id ? ticket : one)));
  const make = (ticket) => {
    const next = 101 + tickets.length;
    setTickets([...tickets, { ...ticket, id: next }]);
    return next;
  };
  return (
    <>
      <nav><Link to="/">All tickets</Link> <Link to="/new">New</Link></nav>
      {path === "/new" ? <Fresh make={make} /> : id ? <Ticket key={id} ticket={tickets.find((one) => one.id === id)} change={change} /> : <Tickets tickets={tickets} />}
    </>
  );
}

createRoot(document.getElementById("root")).render(<App />);
