// Another profile is another page of the wall, which keeps what is chosen on this one now: the form only has what was in its address.
document.getElementById("wall-profile").addEventListener("submit", (event) => {
  event.preventDefault();
  const address = new URL(location.href);
  address.searchParams.set("profile", event.target.elements.profile.value);
  location.assign(address);
});
